import { wildcards } from '../call/wildcards.ts';
import { ScriptError } from '../errors.ts';

const MAX_LENGTH = 1_000;
const MAX_SEGMENTS = 32;
const MAX_DEEP_WILDCARDS = 4;
const CACHED_NAMES = 1_000;

interface Entry<T> {
  readonly item: T;
  readonly order: number;
}

interface Node<T> {
  readonly children: Map<string, Node<T>>;
  readonly globs: { readonly text: string; readonly fits: (segment: string) => boolean; readonly node: Node<T> }[];
  /** One segment of any content. */
  one: Node<T> | undefined;
  /** Any number of segments, none included. */
  deep: Node<T> | undefined;
  /** Ends here. */
  here: Entry<T>[];
  /** Ends here with a last `*`: one or more segments of any content. */
  rest: Entry<T>[];
}

/** A segment of an event's pattern. */
const EVENT_SEGMENT = /^[\p{L}\p{M}\p{N}_*-]+$/u;

/** The segments of an event's pattern; throws as `splitPattern`, and for what no event can be called. */
export function splitEventPattern(pattern: string, where = 'pattern'): string[] {
  const segments = splitPattern(pattern, undefined, where);
  const strange = segments.find((segment) => !EVENT_SEGMENT.test(segment));
  if (strange === undefined) return segments;
  throw new ScriptError(
    'BAD_ARGUMENT',
    `${where} ${JSON.stringify(pattern.slice(0, 80))}: expected names of letters, digits, _, - and * between its separators, got ${JSON.stringify(strange.slice(0, 80))}`,
  );
}

/** The segments of a name or pattern; where `.` and `:` separate unless told otherwise. Throws BAD_ARGUMENT, which begins with `where`, when one is empty or there are too many. */
export function splitPattern(pattern: string, separators: RegExp = /[.:]/, where = 'pattern'): string[] {
  if (typeof pattern !== 'string') throw new ScriptError('BAD_ARGUMENT', `${where}: expected a string, got ${typeof pattern}`);
  const cut = JSON.stringify(`${pattern.slice(0, 40)}…`);
  if (pattern.length > MAX_LENGTH) throw new ScriptError('BAD_ARGUMENT', `${where} ${cut}: more than ${MAX_LENGTH} characters`);
  const segments = pattern.split(separators);
  if (segments.includes('')) throw new ScriptError('BAD_ARGUMENT', `${where} "${pattern}": expected names between its separators, found an empty one`);
  if (segments.length > MAX_SEGMENTS) throw new ScriptError('BAD_ARGUMENT', `${where} ${cut}: more than ${MAX_SEGMENTS} segments`);
  const compact = segments.filter((segment, at) => segment !== '**' || segments[at - 1] !== '**');
  if (compact.filter((segment) => segment === '**').length > MAX_DEEP_WILDCARDS)
    throw new ScriptError('BAD_ARGUMENT', `${where} "${pattern}": more than ${MAX_DEEP_WILDCARDS} times **`);
  return compact;
}

function emptyNode<T>(): Node<T> {
  return { children: new Map(), globs: [], one: undefined, deep: undefined, here: [], rest: [] };
}

/** Items by pattern, found by name: `*` is one segment, or the rest when it is last, `**` any number. Answers are in the order of adding and cached until the next change. */
export class PatternIndex<T> {
  readonly #separators: RegExp;
  readonly #root: Node<T> = emptyNode();
  readonly #found = new Map<string, readonly T[]>();
  #order = 0;
  #size = 0;

  constructor(separators: RegExp = /[.:]/) {
    this.#separators = separators;
  }

  get size(): number {
    return this.#size;
  }

  /** Adds an item; throws BAD_ARGUMENT when the pattern is malformed. */
  add(pattern: string, item: T): void {
    this.#place(pattern).push({ item, order: this.#order++ });
    this.#size++;
    this.#found.clear();
  }

  remove(pattern: string, item: T): void {
    const entries = this.#place(pattern);
    const at = entries.findIndex((entry) => entry.item === item);
    if (at < 0) return;
    entries.splice(at, 1);
    this.#size--;
    this.#found.clear();
  }

  /** The items whose pattern matches, in the order of adding. */
  match(name: string): readonly T[] {
    if (this.#size === 0) return [];
    const known = this.#found.get(name);
    if (known) return known;
    const items = [...collect(this.#root, name.split(this.#separators))].sort((a, b) => a.order - b.order).map((entry) => entry.item);
    if (this.#found.size >= CACHED_NAMES) this.#found.clear();
    this.#found.set(name, items);
    return items;
  }

  #place(pattern: string): Entry<T>[] {
    const segments = splitPattern(pattern, this.#separators);
    let node = this.#root;
    for (const [at, segment] of segments.entries()) {
      if (segment === '*' && at === segments.length - 1) return node.rest;
      node = step(node, segment);
    }
    return node.here;
  }
}

function step<T>(node: Node<T>, segment: string): Node<T> {
  if (segment === '*') return (node.one ??= emptyNode());
  if (segment === '**') return (node.deep ??= emptyNode());
  if (segment.includes('*')) {
    const known = node.globs.find((glob) => glob.text === segment);
    if (known) return known.node;
    const added = { text: segment, fits: wildcards(segment), node: emptyNode<T>() };
    node.globs.push(added);
    return added.node;
  }
  const child = node.children.get(segment) ?? emptyNode<T>();
  node.children.set(segment, child);
  return child;
}

/** What matches a name; all nodes that its first segments lead to are followed together, so that none is looked at twice for one segment. */
function collect<T>(root: Node<T>, segments: readonly string[]): Set<Entry<T>> {
  const found = new Set<Entry<T>>();
  /** Behind a `**`: what has led there once does so with every further segment. */
  const lasting = new Set<Node<T>>();
  let nodes = withDeep(new Set([root]), lasting);
  for (const segment of segments) {
    const next = new Set(lasting);
    for (const node of nodes) {
      for (const entry of node.rest) found.add(entry);
      const child = node.children.get(segment);
      if (child) next.add(child);
      if (node.one) next.add(node.one);
      for (const glob of node.globs) if (glob.fits(segment)) next.add(glob.node);
    }
    nodes = withDeep(next, lasting);
  }
  for (const node of nodes) for (const entry of node.here) found.add(entry);
  return found;
}

/** The nodes and those behind a `**` that follows, which are lasting. */
function withDeep<T>(nodes: Set<Node<T>>, lasting: Set<Node<T>>): Set<Node<T>> {
  // What is added meanwhile is gone through too.
  for (const { deep } of nodes) {
    if (!deep) continue;
    nodes.add(deep);
    lasting.add(deep);
  }
  return nodes;
}

/** A test for names by one pattern, for history and listings. Throws BAD_ARGUMENT when the pattern is malformed. */
export function patternTest(pattern: string, separators?: RegExp): (name: string) => boolean {
  const index = new PatternIndex<true>(separators);
  index.add(pattern, true);
  return (name) => index.match(name).length > 0;
}
