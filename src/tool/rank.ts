import type { ToolInfo } from './registry.ts';

/** Orders tools by how well name, tags and description match a query; those without any match are left out. */
export function rank(infos: readonly ToolInfo[], query: string): ToolInfo[] {
  const words = wordsOf(query);
  return infos
    .map((info) => ({ info, score: words.reduce((sum, word) => sum + scoreOf(info, word), 0) }))
    .filter(({ score }) => score > 0)
    .sort((a, b) => b.score - a.score)
    .map(({ info }) => info);
}

function scoreOf({ name, tags, category, description }: ToolInfo, word: string): number {
  if (wordsOf(name).includes(word)) return 5;
  if (tags.some((tag) => wordsOf(tag).includes(word)) || category === word) return 3;
  const said = wordsOf(description);
  if (said.includes(word)) return 2;
  return word.length > 3 && [...wordsOf(name), ...said].some((other) => other.startsWith(word.slice(0, -1)) || (other.length > 3 && word.startsWith(other)))
    ? 1
    : 0;
}

function wordsOf(text: string): string[] {
  return text.toLowerCase().match(/[\p{L}\p{N}]+/gu) ?? [];
}
