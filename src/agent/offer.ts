import { createHash } from '../call/digest.ts';
import type { Tool } from '../tool/tool.ts';

/** The longest name of a tool that every provider takes, which may hold letters, digits, `_` and `-`. */
const MOST_CHARACTERS = 64;
const HASH_CHARACTERS = 8;

/** The tools by the names under which a model is offered them: `github.create_issue` is `github__create_issue` there; what is too long or would be double ends in a hash. */
export function offerNames(tools: readonly Tool[]): ReadonlyMap<string, Tool> {
  const offered = new Map<string, Tool>();
  for (const tool of new Set(tools)) {
    const plain = tool.name.replaceAll('.', '__');
    offered.set(plain.length <= MOST_CHARACTERS && !offered.has(plain) ? plain : shortened(plain, tool.name), tool);
  }
  return offered;
}

function shortened(plain: string, name: string): string {
  const hash = createHash('sha256').update(name).digest('hex').slice(0, HASH_CHARACTERS);
  return `${plain.slice(0, MOST_CHARACTERS - HASH_CHARACTERS - 1)}_${hash}`;
}
