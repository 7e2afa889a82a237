import { ScriptError } from '../../errors.ts';
import { isMap } from '../check/kind.ts';
import { pathText } from '../path.ts';
import { re2 } from '../re2.ts';
import type { Resource } from './part.ts';

type Schema = Readonly<Record<string, unknown>>;
type Matches = (text: string) => boolean;

/** Keywords with a schema, a list of them or a map of them. */
const SINGLE: ReadonlySet<string> = new Set(
  'additionalItems additionalProperties contains else if items not propertyNames then unevaluatedItems unevaluatedProperties'.split(' '),
);
const LISTS: ReadonlySet<string> = new Set('allOf anyOf items oneOf prefixItems'.split(' '));
const MAPS: ReadonlySet<string> = new Set('$defs definitions dependencies dependentSchemas patternProperties properties'.split(' '));
/** Schemas, patterns and values of enumerations inside of one: making them ready is work that nothing interrupts. */
const MOST = { schemas: 2_000, patterns: 100, values: 10_000 } as const;
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
  readonly #paths = new Map<object, readonly string[]>();
  readonly #patterns = new Map<string, Matches>();
  #values = 0;

  /** Throws BAD_ARGUMENT for what is no schema; `name` begins the message. */
  constructor(root: unknown, name: string) {
    this.root = root;
    this.name = name;
    const resource: Resource = { base: NOWHERE, dynamic: new Map() };
    this.#resources.set(NOWHERE, { resource, schema: root });
    this.#index(root, resource, []);
  }

  /** The resource that a schema is part of. */
  home(schema: object): Resource {
    return this.#home.get(schema) as Resource;
  }

  /** The resources that a check begins in. */
  get scopes(): Resource[] {
    return typeof this.root === 'boolean' ? [] : [this.home(this.root as object)];
  }

  /** What a reference means at a schema. Throws BAD_ARGUMENT when it is not in this document. */
  find(reference: string, from: object): object | boolean {
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

  /** What tells whether a text has a pattern, made once. Throws BAD_ARGUMENT for what RE2 does not know, look-around and back-references among it, and LIMIT_EXCEEDED for one too many. */
  pattern(source: string, schema: object, keyword: string): Matches {
    const known = this.#patterns.get(source);
    if (known) return known;
    if (this.#patterns.size >= MOST.patterns) throw this.#tooMany('patterns');
    const matches = matcherOf(source);
    if (!matches) throw this.refuse(schema, keyword, `expected a pattern of RE2, got ${JSON.stringify(source).slice(0, 100)}`);
    this.#patterns.set(source, matches);
    return matches;
  }

  /** Counts values of enumerations. Throws LIMIT_EXCEEDED for too many. */
  addValues(count: number): void {
    this.#values += count;
    if (this.#values > MOST.values) throw this.#tooMany('values');
  }

  #tooMany(what: keyof typeof MOST): ScriptError {
    return new ScriptError('LIMIT_EXCEEDED', `${this.name}: more than ${MOST[what]} ${what} in one JSON Schema`);
  }

  #where(schema: object): readonly string[] {
    return this.#paths.get(schema) ?? [];
  }

  #index(schema: unknown, outer: Resource, path: readonly string[]): void {
    if (typeof schema === 'boolean') return;
    if (!isMap(schema))
      throw new ScriptError('BAD_ARGUMENT', `${this.name}${pathText(path)}: expected a JSON Schema, which is a map or a boolean, got ${kindWord(schema)}`);
    // The same map may stand at several places.
    if (this.#home.has(schema)) return;
    if (this.#home.size >= MOST.schemas) throw this.#tooMany('schemas');
    this.#paths.set(schema, path);
    const resource = this.#resourceOf(schema, outer);
    this.#home.set(schema, resource);
    for (const [key, value] of Object.entries(schema)) {
      if (key.startsWith('unevaluated')) this.countsRest = true;
      if (Array.isArray(value) && LISTS.has(key)) for (const [at, item] of value.entries()) this.#index(item, resource, [...path, key, String(at)]);
      else if (SINGLE.has(key)) this.#index(value, resource, [...path, key]);
      else if (MAPS.has(key) && isMap(value))
        for (const [name, item] of Object.entries(value)) if (!Array.isArray(item)) this.#index(item, resource, [...path, key, name]);
    }
  }

  #resourceOf(schema: Schema, outer: Resource): Resource {
    const { $id, $anchor, $dynamicAnchor } = schema;
    let resource = outer;
    if (typeof $id === 'string' && !$id.startsWith('#')) {
      const base = absolute($id, outer.base).split('#', 1)[0] as string;
      resource = { base, dynamic: new Map() };
      this.#resources.set(base, { resource, schema });
    }
    for (const anchor of [$anchor, $dynamicAnchor]) if (typeof anchor === 'string') this.#anchors.set(`${resource.base}#${anchor}`, schema);
    if (typeof $dynamicAnchor === 'string') resource.dynamic.set($dynamicAnchor, schema);
    return resource;
  }
}

/** Finds a pattern anywhere in a text, in linear time by RE2: JavaScript's own may take for ever. */
function matcherOf(source: string): Matches | undefined {
  try {
    const compiled = re2().compile(source);
    return (text) => compiled.matcher(text).find();
  } catch {
    return undefined;
  }
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
