import type { Context } from '../call/context.ts';
import { LazyMap, type Value, type ValueMap } from '../call/value.ts';
import { load } from '../state/state.ts';
import type { Reference } from './reference.ts';

/** Outputs that a handler is given without asking. */
const MOST_AT_ONCE = 16;

/** What became of a step. */
export type StepRecord = {
  name: string;
  /** The branch of a parallel workflow that it is in; steps of two may have one name. */
  branch?: string | undefined;
  /** The turn of a loop or map that it ran in, counted as `$loop.index`. */
  index?: number | undefined;
  status: 'completed' | 'failed' | 'skipped' | 'cancelled';
  output?: Value | undefined;
  error?: { code: string; message: string } | undefined;
  duration_ms: number;
  attempts: number;
  /** What an agent step used. */
  usage?: ValueMap | undefined;
};

/** The turn of a loop or map that a step runs in. */
export interface Turn {
  /** Counted as the script's language does. */
  readonly index: number;
  /** Absent in the first turn of a loop that has no items. */
  readonly value: Value | undefined;
}

/** What steps see of each other: the outputs so far, those of the scopes around included. */
export class Scope {
  readonly input: Value;
  readonly turn: Turn | undefined;
  /** `{branch}` where these steps are one of several branches, which have names; `{index}` in a turn. */
  readonly place: { readonly branch?: string; readonly index?: number };
  readonly #outer: Scope | undefined;
  readonly #records: StepRecord[] = [];
  readonly #byName = new Map<string, StepRecord>();

  constructor(input: Value, outer?: Scope, turn: Turn | undefined = outer?.turn, branch?: string) {
    this.input = input;
    this.place = { ...(branch !== undefined && { branch }), ...(turn && { index: turn.index }) };
    this.#outer = outer;
    this.turn = turn;
  }

  get records(): readonly StepRecord[] {
    return this.#records;
  }

  /** The records, and for each of these steps that never began one that says that it was cancelled. */
  recordsOf(steps: readonly { readonly name: string }[]): StepRecord[] {
    const missing = steps.filter(({ name }) => !this.#byName.has(name));
    return [...this.#records, ...missing.map(({ name }): StepRecord => ({ name, ...this.place, status: 'cancelled', duration_ms: 0, attempts: 0 }))];
  }

  add(record: StepRecord): void {
    this.#records.push(record);
    this.#byName.set(record.name, record);
  }

  find(name: string): StepRecord | undefined {
    return this.#byName.get(name) ?? this.#byPosition(name) ?? this.#outer?.find(name);
  }

  /** Outputs by name, of this scope only. */
  outputs(): ValueMap {
    return Object.fromEntries(this.#records.filter(({ status }) => status === 'completed').map(({ name, output }) => [name, output ?? null]));
  }

  /** The last output of a step that completed. */
  get last(): Value {
    return this.#records.findLast(({ status }) => status === 'completed')?.output ?? null;
  }

  /** What a handler gets: outputs by name, and `input`, `steps`, `loop`, `workflow`; of many steps the latest outputs go at once and the rest when asked for. */
  ctx(workflow: ValueMap): Value {
    const always: ValueMap = { ...(this.input !== null && { input: this.input }), workflow, ...(this.turn && { loop: turnFields(this.turn) }) };
    const layers = this.#layers();
    const all = (): ValueMap => {
      const ctx: ValueMap = {};
      const steps: ValueMap = {};
      for (const { records, count } of layers)
        for (let at = 0; at < count; at++) {
          const { name, output, status, usage } = records[at] as StepRecord;
          if (output === undefined) delete ctx[name];
          else ctx[name] = output;
          steps[name] = { status, ...(output !== undefined && { output }), ...(usage !== undefined && { usage }) };
        }
      return Object.assign(ctx, always, { steps });
    };
    if (layers.reduce((sum, { count }) => sum + count, 0) <= MOST_AT_ONCE) return all();
    const latest: ValueMap = { ...always };
    const seen = new Set<string>();
    for (const { name, output } of this.#latest(MOST_AT_ONCE)) {
      if (output !== undefined && !seen.has(name) && !(name in latest)) latest[name] = output;
      seen.add(name);
    }
    return new LazyMap(latest, all).asValue();
  }

  /** Resolves a reference's root. */
  lookup(context: Context, { root, path }: Reference): Value | undefined | Promise<Value | undefined> {
    if (root === 'input') return this.input;
    if (root === 'loop') return this.turn && { value: null, ...turnFields(this.turn) };
    if (root === 'state') return loadState(context, path);
    const record = this.find(root);
    return record && { output: record.output ?? null, status: record.status, ...(record.usage !== undefined && { usage: record.usage }) };
  }

  #byPosition(name: string): StepRecord | undefined {
    const position = /^step(\d+)$/.exec(name)?.[1];
    return position === undefined ? undefined : this.#records[Number(position) - 1];
  }

  /** The records as they stand now, of this scope and those around it, outermost first. */
  #layers(): { readonly records: readonly StepRecord[]; readonly count: number }[] {
    return [...(this.#outer ? this.#outer.#layers() : []), { records: this.#records, count: this.#records.length }];
  }

  /** The last records, latest first. */
  *#latest(most: number): Generator<StepRecord> {
    for (let at = this.#records.length - 1; at >= 0 && most > 0; at--, most--) yield this.#records[at] as StepRecord;
    if (most > 0 && this.#outer) yield* this.#outer.#latest(most);
  }
}

function turnFields({ index, value }: Turn): ValueMap {
  return { index, ...(value !== undefined && { value }) };
}

/** `$state.global.key`, `$state["agent:x"].key`. */
async function loadState(context: Context, [scope, key]: Reference['path']): Promise<Value | undefined> {
  if (typeof scope !== 'string' || typeof key !== 'string') return undefined;
  return (await load(context, scope, key)) ?? undefined;
}
