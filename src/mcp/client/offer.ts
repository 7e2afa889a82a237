import { createHash } from '../../call/digest.ts';
import type { ValueMap } from '../../call/value.ts';

/** What a server says of a tool and models get to read; exactly this is pinned. */
export interface Offer {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of the arguments. */
  readonly schema: ValueMap;
}

/** An offer as somebody has approved it. */
export interface Pin extends Offer {
  /** As `digestOf`. */
  readonly sha256: string;
  /** ISO time. */
  readonly approved_at: string;
}

/** Everything that one server offers at one moment. */
export interface Offers {
  readonly tools: ReadonlyMap<string, Offer>;
  /** Tools that cannot be used, with why. */
  readonly unusable: readonly { readonly name: string; readonly reason: string }[];
}

const NAME = /^[A-Za-z0-9_.-]{1,128}$/;
const MOST_SCHEMA_CHARACTERS = 64 * 1024;
const MOST_DESCRIPTION_CHARACTERS = 16 * 1024;
const MOST_TOOLS = 1_000;
const MAX_DEPTH = 32;

/** A tool as the protocol carries it. */
interface Listed {
  readonly name: string;
  readonly description?: string | undefined;
  readonly inputSchema: object;
}

/** What of a server's list can be offered: names that scripts can write, texts and schemas of bounded size. */
export function readOffers(listed: readonly Listed[]): Offers {
  const tools = new Map<string, Offer>();
  const unusable: { name: string; reason: string }[] = [];
  for (const { name, description = '', inputSchema } of listed) {
    const reason = tools.size >= MOST_TOOLS ? `the server has more than ${MOST_TOOLS} tools` : problemOf(name, description, inputSchema, tools);
    if (reason === undefined) tools.set(name, { name, description, schema: inputSchema as ValueMap });
    else if (unusable.length < MOST_TOOLS) unusable.push({ name: name.slice(0, 128), reason });
  }
  return { tools, unusable };
}

function problemOf(name: string, description: string, schema: object, tools: ReadonlyMap<string, Offer>): string | undefined {
  if (!NAME.test(name)) return 'its name has other characters than A-Z a-z 0-9 _ . -, or more than 128';
  if (tools.has(name)) return 'the server offers two of this name';
  if (description.length > MOST_DESCRIPTION_CHARACTERS) return `its description has more than ${MOST_DESCRIPTION_CHARACTERS} characters`;
  if (depthOf(schema) > MAX_DEPTH) return `its schema is nested more than ${MAX_DEPTH} deep`;
  if (canonical(schema).length > MOST_SCHEMA_CHARACTERS) return `its schema has more than ${MOST_SCHEMA_CHARACTERS} characters`;
  return undefined;
}

/** SHA-256, in hexadecimal, of name, description and schema; the order of the schema's keys does not count. */
export function digestOf({ name, description, schema }: Offer): string {
  return createHash('sha256')
    .update(canonical([name, description, schema]))
    .digest('hex');
}

/** Which of the pinned parts are other than they were. */
export function changesOf(pin: Offer, offer: Offer): ('description' | 'schema')[] {
  return [
    ...(pin.description === offer.description ? [] : ['description' as const]),
    ...(canonical(pin.schema) === canonical(offer.schema) ? [] : ['schema' as const]),
  ];
}

/** JSON text with sorted keys. */
function canonical(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value) ?? 'null';
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return `{${entries.map(([key, item]) => `${JSON.stringify(key)}:${canonical(item)}`).join(',')}}`;
}

/** Levels of nesting; what is deeper than the limit is not looked at. */
function depthOf(value: unknown, above = 0): number {
  if (typeof value !== 'object' || value === null || above > MAX_DEPTH) return above;
  return Object.values(value).reduce<number>((deepest, item) => Math.max(deepest, depthOf(item, above + 1)), above + 1);
}
