import { isMap } from '../../call/check/kind.ts';
import type { Value, ValueMap } from '../../call/value.ts';
import { MOST_MESSAGE, ScriptError } from '../../errors.ts';
import type { Fiber } from '../fiber.ts';
import { Misfit } from '../misfit.ts';
import { ScriptRef } from '../refs.ts';
import { codeOf, fromThrown } from '../thrown.ts';
import { LUA, type LuaExports } from './exports.ts';
import type { LuaImage } from './image.ts';
import type { LuaMemory } from './memory.ts';
import type { LuaValues } from './values.ts';

/** Errors in both directions: ScriptErrors as Lua tables, Lua's own values as ScriptErrors that remember them. */
export class LuaErrors {
  readonly #x: LuaExports;
  readonly #memory: LuaMemory;
  readonly #values: LuaValues;
  readonly #image: LuaImage;
  readonly #owner: { readonly dropped: number[] };

  constructor(x: LuaExports, memory: LuaMemory, values: LuaValues, image: LuaImage, owner: { readonly dropped: number[] }) {
    this.#x = x;
    this.#memory = memory;
    this.#values = values;
    this.#image = image;
    this.#owner = owner;
  }

  /** Pushes what the script sees: the very value that it threw earlier, else a table; `here` puts the caller's line into its text. */
  push(L: number, error: ScriptError, here: boolean): void {
    const x = this.#x;
    if (error.thrown instanceof ScriptRef && error.thrown.owner === this.#owner) return this.#values.pushRef(L, error.thrown);
    x.lua_checkstack(L, 12);
    x.lua_rawgeti(L, LUA.registry, BigInt(this.#image.refs.make_error));
    if (here) this.#pushPlace(L);
    else this.#memory.push(L, '');
    this.#values.push(L, error.code);
    this.#memory.push(L, error.message);
    this.#values.push(L, error.method);
    this.#pushDetails(L, error.details as ValueMap | undefined);
    if (error.cause instanceof ScriptError) this.push(L, error.cause, false);
    else x.lua_pushnil(L);
    x.lua_callk(L, 6, 1, 0, 0);
  }

  /** Details that cannot go to a script are left out. */
  #pushDetails(L: number, details: ValueMap | undefined): void {
    const top = this.#x.lua_gettop(L);
    try {
      this.#values.push(L, details);
    } catch (error) {
      if (!(error instanceof Misfit || error instanceof ScriptError)) throw error;
      this.#values.abandon();
      this.#x.lua_settop(L, top);
      this.#x.lua_pushnil(L);
    }
  }

  /** Pushes `file:line: ` of the script's own function that is nearest, past those of the prelude. */
  #pushPlace(L: number): void {
    const x = this.#x;
    for (let level = 1; ; level++) {
      x.luaL_where(L, level);
      if (!this.#memory.readText(L, x.lua_gettop(L)).startsWith('[llmspell]')) return;
      x.lua_settop(L, -2);
    }
  }

  /** The error on top of a fiber's stack, whose `data` it is where it is a table, as the host sees it; it keeps the value itself for the way back. */
  leave(L: number, status: number, fiber: Fiber, data?: Value): ScriptError {
    const x = this.#x;
    const top = x.lua_gettop(L);
    const error =
      status === LUA.errorMemory
        ? new ScriptError('LIMIT_EXCEEDED', 'not enough memory: the script reached limits.memory_mb')
        : this.#convert(L, top, status, fiber, data);
    error.traceback ??= withInner(this.#passed(L, top, fiber), fiber.traceback);
    error.where ??= firstPlace(error.traceback);
    x.lua_pushvalue(L, top);
    error.thrown = new ScriptRef(this.#owner, x.luaL_ref(L, LUA.registry));
    return error;
  }

  /** Where the error was raised, if it came out of a function that a call of this fiber ran: it is that function's very value. */
  #passed(L: number, index: number, { passed }: Fiber): string | undefined {
    const x = this.#x;
    if (!(passed?.thrown instanceof ScriptRef) || passed.thrown.owner !== this.#owner) return undefined;
    this.#values.pushRef(L, passed.thrown);
    const same = x.lua_topointer(L, index) !== 0 && x.lua_topointer(L, index) === x.lua_topointer(L, -1);
    x.lua_settop(L, -2);
    return same ? passed.traceback : undefined;
  }

  #convert(L: number, index: number, status: number, fiber: Fiber, data: Value | undefined): ScriptError {
    const type = this.#x.lua_type(L, index);
    if (type === LUA.string) return fromText(this.#memory.readText(L, index, MOST_MESSAGE + 300), status);
    if (type === LUA.table && this.#isError(L, index)) return this.#fromTable(L, index, isMap(data) ? data : {});
    return fromThrown(data, fiber.raised);
  }

  #isError(L: number, index: number): boolean {
    if (!this.#x.lua_getmetatable(L, index)) return false;
    const is = this.#x.lua_topointer(L, -1) === this.#image.marks.errorAddress;
    this.#x.lua_settop(L, -2);
    return is;
  }

  #fromTable(L: number, index: number, fields: ValueMap): ScriptError {
    const details = isMap(fields.details) ? fields.details : undefined;
    const error = new ScriptError(codeOf(fields.code), String(fields.message ?? ''), {
      method: typeof fields.method === 'string' ? fields.method : undefined,
      details,
      cause: isMap(fields.cause) ? plainCause(fields.cause) : undefined,
    });
    this.#x.lua_rawgeti(L, LUA.registry, BigInt(this.#image.refs.place_of));
    this.#x.lua_pushvalue(L, index);
    this.#x.lua_callk(L, 1, 1, 0, 0);
    if (this.#x.lua_type(L, -1) === LUA.string) error.where = place(this.#memory.readText(L, this.#x.lua_gettop(L)));
    this.#x.lua_settop(L, -2);
    return error;
  }
}

/** Lines that are shown of each end of a long traceback. */
const MOST_LINES = 20;

/** The frames inside a function that a call ran, then those outside; of many, as Lua does it, both ends. */
function withInner(inner: string | undefined, outer: string | undefined): string | undefined {
  if (inner === undefined || outer === undefined) return inner ?? outer;
  const lines = [...inner.split('\n'), ...outer.split('\n').slice(1)];
  if (lines.length > 2 * MOST_LINES) lines.splice(MOST_LINES, lines.length - 2 * MOST_LINES, '\t...');
  return lines.join('\n');
}

function plainCause(fields: Record<string, Value>): ScriptError {
  return new ScriptError(codeOf(fields.code), String(fields.message ?? ''));
}

/** Lua's own messages of limits, where they come as texts. */
const LIMITS = /^not enough memory$|^resulting string too large$|^stack overflow \(|^too many results to unpack$/;
const TOO_DEEP: readonly (readonly [RegExp, string])[] = [
  [/^stack overflow$/, 'the script nests its calls too deep'],
  [/C stack overflow/, 'the script nests too deep'],
];

/** A message that Lua itself or `error("…")` made: its position in front becomes `where`. */
function fromText(text: string, status: number): ScriptError {
  const found = /^(.{1,200}?):(\d+): ([\s\S]*)$/.exec(text);
  const said = found?.[3] ?? text;
  const message = TOO_DEEP.find(([pattern]) => pattern.test(said))?.[1] ?? said;
  const code = status === LUA.errorSyntax ? 'SYNTAX_ERROR' : message !== said || LIMITS.test(message) ? 'LIMIT_EXCEEDED' : 'SCRIPT_ERROR';
  const error = new ScriptError(code, message === '' ? 'the script threw ""' : message);
  if (found) error.where = { file: found[1] as string, line: Number(found[2]) };
  return error;
}

function place(text: string): { file: string; line: number } | undefined {
  const found = /^(.*):(\d+): ?$/.exec(text);
  return found ? { file: found[1] as string, line: Number(found[2]) } : undefined;
}

/** The script's own line that a traceback names first. */
function firstPlace(traceback: string | undefined): { file: string; line: number } | undefined {
  const found = /\n\t(?!\[)(.*?):(\d+): in /.exec(traceback ?? '');
  return found ? { file: found[1] as string, line: Number(found[2]) } : undefined;
}
