import { ScriptError } from '../../errors.ts';
import { describeContent } from '../check/failure.ts';
import { isMap } from '../check/kind.ts';
import type { Language } from '../context.ts';
import { pathText } from '../path.ts';
import { toPlain, type Value } from '../value.ts';
import type { Resource } from './part.ts';
import { compilePattern, type Matches } from './pattern.ts';

type Schema = Readonly<Record<string, unknown>>;

/** Keywords with a schema, a list of them or a map of them. */
const SINGLE: ReadonlySet<string> = new Set(
  'additionalItems additionalProperties contains else if items not propertyNames then unevaluatedItems unevaluatedProperties'.split(' '),
);
const LISTS: ReadonlySet<string> = new Set('allOf anyOf items oneOf prefixItems'.split(' '));
const MAPS: ReadonlySet<string> = new Set('$defs definitions dependencies dependentSchemas patternProperties properties'.split(' '));
/** Schemas, patterns, values of enumerations and names inside of one: making them ready is work that nothing interrupts. */
const MOST = { schemas: 2_000, values: 10_000, names: 10_000, parts: 30_000 } as const;
/** What all patterns of one become, instructions. */
const MOST_INSTRUCTIONS = 4_000;
/** Characters of identifiers and references. */
const MOST_REFERENCE = 1_000;
/** What a schema and an instruction take when they are ready, bytes, roughly. */
const BYTES = { schema: 1_000, instruction: 100 } as const;
/** Where an identifier is relative, and the schema has none. */
const NOWHERE = 'schema:/';

/** A JSON Schema with the names that its parts go by. */
export class Document {
  /** What messages call it. */
  readonly name: string;
  readonly root: unknown;
  /** True when some part asks for what the others have not looked at. */
  countsRest = false;
  readonly #resources = new Map<string, { readonly resource: Resource; readonly schema: unknown }>();
  readonly #anchors = new Map<string, object>();
  readonly #home = new Map<object, Resource>();
  readonly #paths = new Map<object, readonly (string | number)[]>();
  /** From where positions count. */
  readonly #first: 0 | 1;
  #schemas = 0;
  #instructions = 0;
  #names = 0;
  readonly #patterns = new Map<string, Matches>();
  #values = 0;

  /** Throws BAD_ARGUMENT for what is no schema; `name` begins the message. */
  constructor(root: Value, name: string, language: Language) {
    if (partsOf(root, MOST.parts) > MOST.parts) throw new ScriptError('LIMIT_EXCEEDED', `${name}: ${tooMany('parts')}`);
    this.root = toPlain(root);
    this.name = name;
    this.#first = language === 'lua' ? 1 : 0;
    const resource: Resource = { base: NOWHERE, dynamic: new Map() };
    this.#resources.set(NOWHERE, { resource, schema: this.root });
    this.#index(this.root, resource, []);
  }

  /** The resource that a schema is part of. */
  home(schema: object): Resource {
    return this.#home.get(schema) as Resource;
  }

  /** What it takes when it is ready, bytes. */
  get bytes(): number {
    return this.#schemas * BYTES.schema + this.#instructions * BYTES.instruction;
  }

  /** True for a schema with an identifier of its own. */
  isResource(schema: object): boolean {
    return this.#resources.get(this.home(schema).base)?.schema === schema && schema !== this.root;
  }

  /** The resources that a check begins in. */
  get scopes(): Resource[] {
    return typeof this.root === 'boolean' ? [] : [this.home(this.root as object)];
  }

  /** What a reference means at a schema. Throws BAD_ARGUMENT when it is not in this document. */
  find(reference: string, from: object): object | boolean {
    this.#checkReference(reference, from, '$ref');
    const { base } = this.home(from);
    const [address = '', fragment = ''] = absolute(reference, base).split('#', 2);
    const found = this.#resources.get(address);
    const target = found && (fragment === '' || fragment.startsWith('/') ? pointed(found.schema, fragment) : this.#anchors.get(`${address}#${fragment}`));
    if (found && typeof target === 'boolean') return target;
    if (!found || !isMap(target)) throw this.refuse(from, '$ref', `${JSON.stringify(reference)} is not in this schema`);
    // One that lies where no keyword looks for schemas.
    if (!this.#home.has(target)) this.#index(target, found.resource, [...this.#where(from), '$ref']);
    return target;
  }

  /** An error of a keyword of a schema. */
  refuse(schema: object, keyword: string, sentence: string): ScriptError {
    return new ScriptError('BAD_ARGUMENT', `${this.name}${pathText([...this.#where(schema), keyword])}: ${sentence}`);
  }

  /** What tells whether a text has a pattern, made once. Throws BAD_ARGUMENT for what RE2 does not know, look-around and back-references among it, and for patterns that are too large together. */
  pattern(source: string, schema: object, keyword: string): Matches {
    const known = this.#patterns.get(source);
    if (known) return known;
    const pattern = compilePattern(source, MOST_INSTRUCTIONS - this.#instructions);
    if (typeof pattern === 'string') throw this.refuse(schema, keyword, `expected ${pattern}, got ${describeContent(source)}`);
    this.#instructions += pattern.size;
    this.#patterns.set(source, pattern.matches);
    return pattern.matches;
  }

  /** Counts values of enumerations. Throws LIMIT_EXCEEDED for too many. */
  addValues(count: number): void {
    this.#values += count;
    if (this.#values > MOST.values) throw this.#tooMany('values');
  }

  /** Counts names of properties in lists of them. Throws as `addValues`. */
  addNames(count: number): void {
    this.#names += count;
    if (this.#names > MOST.names) throw this.#tooMany('names');
  }

  #tooMany(what: keyof typeof MOST): ScriptError {
    return new ScriptError('LIMIT_EXCEEDED', `${this.name}: ${tooMany(what)}`);
  }

  #where(schema: object): readonly (string | number)[] {
    return this.#paths.get(schema) ?? [];
  }

  #index(schema: unknown, outer: Resource, path: readonly (string | number)[]): void {
    if (++this.#schemas > MOST.schemas) throw this.#tooMany('schemas');
    if (typeof schema === 'boolean') return;
    if (!isMap(schema))
      throw new ScriptError('BAD_ARGUMENT', `${this.name}${pathText(path)}: expected a JSON Schema, which is a map or a boolean, got ${kindWord(schema)}`);
    // The same map may stand at several places.
    if (this.#home.has(schema)) return;
    this.#paths.set(schema, path);
    const resource = this.#resourceOf(schema, outer);
    this.#home.set(schema, resource);
    for (const [key, value] of Object.entries(schema)) {
      if (key.startsWith('unevaluated')) this.countsRest = true;
      if (Array.isArray(value) && LISTS.has(key)) for (const [at, item] of value.entries()) this.#index(item, resource, [...path, key, at + this.#first]);
      else if (SINGLE.has(key)) this.#index(value, resource, [...path, key]);
      else if (MAPS.has(key) && isMap(value))
        for (const [name, item] of Object.entries(value)) if (key !== 'dependencies' || !Array.isArray(item)) this.#index(item, resource, [...path, key, name]);
    }
  }

  #checkReference(given: unknown, schema: object, keyword: string): void {
    if (typeof given === 'string' && given.length > MOST_REFERENCE)
      throw this.refuse(schema, keyword, `expected at most ${MOST_REFERENCE} characters, got ${given.length}`);
  }

  #resourceOf(schema: Schema, outer: Resource): Resource {
    const { $id, $anchor, $dynamicAnchor } = schema;
    for (const [keyword, given] of Object.entries({ $id, $anchor, $dynamicAnchor })) this.#checkReference(given, schema, keyword);
    let resource = outer;
    if (typeof $id === 'string' && !$id.startsWith('#')) {
      const base = absolute($id, outer.base).split('#', 1)[0] as string;
      // Of relative ones each would be longer than the one around it.
      this.#checkReference(base, schema, '$id');
      resource = { base, dynamic: new Map() };
      this.#resources.set(base, { resource, schema });
    }
    for (const anchor of [$anchor, $dynamicAnchor]) if (typeof anchor === 'string') this.#anchors.set(`${resource.base}#${anchor}`, schema);
    if (typeof $dynamicAnchor === 'string') resource.dynamic.set($dynamicAnchor, schema);
    return resource;
  }
}

function tooMany(what: keyof typeof MOST): string {
  return `more than ${MOST[what]} ${what} in one JSON Schema`;
}

/** How many keys and values there are in a value; it is not counted on behind so many. */
function partsOf(value: unknown, most: number): number {
  if (!Array.isArray(value) && !isMap(value)) return 1;
  let count = 1;
  for (const key in value) {
    if (count > most) break;
    count += 1 + partsOf((value as Record<string, unknown>)[key], most - count);
  }
  return count;
}

function absolute(reference: string, base: string): string {
  if (reference.startsWith('#')) return base + reference;
  return URL.canParse(reference, base) ? new URL(reference, base).href : reference;
}

/** What a JSON pointer (RFC 6901) in a fragment leads to. */
function pointed(schema: unknown, fragment: string): unknown {
  let found = schema;
  for (const token of fragment.split('/').slice(1)) {
    if (typeof found !== 'object' || found === null) return undefined;
    const key = decoded(token).replaceAll('~1', '/').replaceAll('~0', '~');
    if (!Object.hasOwn(found, key)) return undefined;
    found = (found as Record<string, unknown>)[key];
  }
  return found;
}

function decoded(token: string): string {
  try {
    return decodeURIComponent(token);
  } catch {
    return token;
  }
}

function kindWord(value: unknown): string {
  return value === null ? 'null' : Array.isArray(value) ? 'an array' : `a ${typeof value}`;
}
