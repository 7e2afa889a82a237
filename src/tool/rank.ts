import { doneAtOnce, doneInTurns } from '../call/breath.ts';
import type { Cpu } from '../call/cpu.ts';
import type { Soon } from '../call/soon.ts';
import type { ToolInfo } from './registry.ts';

/** Characters of a description that are looked at. */
const MOST_SAID = 1_000;

/** Tools by how well name, tags and description match a query; those without any match are left out. */
export function rank(infos: readonly ToolInfo[], query: string): ToolInfo[] {
  return doneAtOnce(ranking(infos, query));
}

/** As `rank`, for a run, over several turns of the event loop where there are many. */
export function rankSoon(cpu: Cpu, infos: readonly ToolInfo[], query: string): Soon<ToolInfo[]> {
  return doneInTurns(cpu, ranking(infos, query));
}

function* ranking(infos: readonly ToolInfo[], query: string): Generator<undefined, ToolInfo[]> {
  const words = [...new Set(wordsOf(query))];
  const scored: { info: ToolInfo; score: number }[] = [];
  for (const info of infos) {
    const score = scoreOf(info, words);
    if (score > 0) scored.push({ info, score });
    yield;
  }
  return scored.sort((a, b) => b.score - a.score).map(({ info }) => info);
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
