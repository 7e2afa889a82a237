import { inTurns } from '../call/breath.ts';
import type { Cpu } from '../call/cpu.ts';
import { type Soon, whenReady } from '../call/soon.ts';
import type { ToolInfo } from './registry.ts';

/** Characters of a description that are looked at. */
const MOST_SAID = 1_000;

/** Ranks tools by how well name, tags and description match a query, one tool a step. */
class Ranking {
  readonly #infos: readonly ToolInfo[];
  readonly #words: readonly string[];
  readonly #scored: { info: ToolInfo; score: number }[] = [];
  #next = 0;

  constructor(infos: readonly ToolInfo[], query: string) {
    this.#infos = infos;
    this.#words = [...new Set(wordsOf(query))];
  }

  /** True when all are ranked. */
  readonly step = (): boolean => {
    const info = this.#infos[this.#next++];
    if (!info) return true;
    const score = scoreOf(info, this.#words);
    if (score > 0) this.#scored.push({ info, score });
    return false;
  };

  /** Those that match, best first. */
  get best(): ToolInfo[] {
    return this.#scored.sort((a, b) => b.score - a.score).map(({ info }) => info);
  }
}

/** Tools by how well name, tags and description match a query; those without any match are left out. */
export function rank(infos: readonly ToolInfo[], query: string): ToolInfo[] {
  const ranking = new Ranking(infos, query);
  while (!ranking.step());
  return ranking.best;
}

/** As `rank`, for a run, over several turns of the event loop where there are many. */
export function rankSoon(cpu: Cpu, infos: readonly ToolInfo[], query: string): Soon<ToolInfo[]> {
  const ranking = new Ranking(infos, query);
  return whenReady(inTurns(cpu, ranking.step), () => ranking.best);
}

function scoreOf({ name, tags, category, description }: ToolInfo, words: readonly string[]): number {
  const named = wordsOf(name);
  const tagged = new Set(tags.flatMap(wordsOf));
  const said = wordsOf(description.slice(0, MOST_SAID));
  const parts = new Set([...named, ...said]);
  const score = (word: string) => {
    if (named.includes(word)) return 5;
    if (tagged.has(word) || category === word) return 3;
    if (parts.has(word)) return 2;
    return word.length > 3 && [...parts].some((other) => other.startsWith(word.slice(0, -1)) || (other.length > 3 && word.startsWith(other))) ? 1 : 0;
  };
  return words.reduce((sum, word) => sum + score(word), 0);
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}
