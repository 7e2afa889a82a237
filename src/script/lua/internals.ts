import type { Run } from '../../call/context.ts';
import type { Value } from '../../call/value.ts';
import { ScriptError } from '../../errors.ts';
import type { Source } from '../engine.ts';
import type { Fiber } from '../fiber.ts';
import { Loading } from '../loading.ts';
import { checkNameSize, resolveModule } from '../modules.ts';
import { LUA } from './exports.ts';
import type { LuaMachine } from './machine.ts';
import type { LuaValues } from './values.ts';

/** Functions that the prelude calls, by their (negative) numbers. */
export const INTERNALS = { print: -1, source: -2, time: -3, clock: -4, date: -5, handler: -6, load: -7, loaded: -8, fill: -9 } as const;

/** The engine's own functions for one run. */
export interface Internals {
  /** The main chunk, where `require` starts. */
  main: Source;
  /** Runs one with its arguments on the stack, and says how many results it pushed; a promise must be waited for. */
  call(index: number, L: number): number | Promise<Value>;
}

/** Output, clock and module loading of one run, as its prelude sees them; `current` is the fiber that calls. */
export function internals(run: Run, values: LuaValues, machine: LuaMachine, current: () => Fiber): Internals {
  const loading = new Loading('require');
  const started = run.now();
  const sources = new Map<string, Source>();
  const result: Internals = {
    main: { text: '', name: '' },
    call(index, L) {
      const { x, memory } = machine;
      const arg = (position: number) => values.read(L, position, 'argument');
      switch (index) {
        case INTERNALS.source: {
          checkNameSize('require', memory.sizeOf(L, 1));
          const from = memory.readText(L, 2).replace(/^@/, '');
          const found = resolveModule(run, sources.get(from) ?? result.main, memory.readText(L, 1), result.main);
          sources.set(found.name, found);
          values.push(L, found.text);
          values.push(L, found.path);
          values.push(L, found.name);
          return 3;
        }
        case INTERNALS.time:
          values.push(L, x.lua_gettop(L) > 0 && arg(1) !== null ? timeOf(arg(1)) : Math.floor(run.now() / 1000));
          return 1;
        case INTERNALS.clock:
          x.lua_pushnumber(L, (run.now() - started) / 1000);
          return 1;
        case INTERNALS.date:
          values.push(L, formatDate(dateFormat(machine, L), dateTime(machine, L) ?? Math.floor(run.now() / 1000)));
          return 1;
        case INTERNALS.handler:
          x.luaL_traceback(L, L, 0, 2);
          current().traceback = memory.readText(L, x.lua_gettop(L)).replaceAll(/(?:\n\t\[C\].*)?\n\t\[llmspell\].*/g, '');
          current().raised = x.lua_type(L, 2) === LUA.string ? memory.readText(L, 2) : undefined;
          x.lua_settop(L, 1);
          return 1;
        case INTERNALS.load: {
          const path = memory.readText(L, 1);
          const other = loading.wait(path, current());
          if (other) return other;
          x.lua_pushboolean(L, loading.holds(path, current()) ? 0 : 1);
          loading.hold(path, current());
          return 1;
        }
        case INTERNALS.loaded:
          loading.release(current(), memory.readText(L, 1));
          return 0;
        case INTERNALS.fill:
          values.push(L, values.lazy.take(Number(arg(1))));
          return 1;
        default:
          throw new ScriptError('INTERNAL', 'an unknown function of the engine');
      }
    },
  };
  return result;
}

const FIELDS = ['year', 'month', 'day', 'hour', 'min', 'sec'] as const;

/** `os.time{…}` in UTC, seconds. */
function timeOf(value: unknown): number {
  if (value === null || typeof value !== 'object' || Array.isArray(value))
    throw new ScriptError('BAD_ARGUMENT', 'os.time: expected a table with year, month and day');
  const fields = value as Record<string, unknown>;
  const [year, month, day, hour = 12, min = 0, sec = 0] = FIELDS.map((name) => (fields[name] == null ? undefined : Number(fields[name])));
  if (year === undefined || month === undefined || day === undefined || [year, month, day, hour, min, sec].some(Number.isNaN))
    throw new ScriptError('BAD_ARGUMENT', 'os.time: expected a table with year, month and day');
  const seconds = Math.floor(Date.UTC(year, month - 1, day, hour, min, sec) / 1000);
  if (Number.isNaN(seconds)) throw new ScriptError('BAD_ARGUMENT', 'os.time: expected a date within 285,616 years of 1970');
  return seconds;
}

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = ['January', 'February', 'March', 'April', 'May', 'June', 'July', 'August', 'September', 'October', 'November', 'December'];

/** A format of `os.date` may be this long, bytes. */
const MOST_FORMAT = 1_000;

function dateFormat({ x, memory }: LuaMachine, L: number): string {
  const type = x.lua_type(L, 1);
  if (type <= LUA.nil) return '%c';
  if (type !== LUA.string && type !== LUA.number) throw new ScriptError('BAD_ARGUMENT', 'os.date: format: expected a string');
  const length = memory.sizeOf(L, 1);
  if (length > MOST_FORMAT) throw new ScriptError('BAD_ARGUMENT', `os.date: format: expected at most ${MOST_FORMAT} bytes, got ${length}`);
  return memory.readText(L, 1);
}

/** Seconds since 1970; undefined where none are given. */
function dateTime({ x, memory }: LuaMachine, L: number): number | undefined {
  const type = x.lua_type(L, 2);
  if (type <= LUA.nil) return undefined;
  if (type === LUA.number) return x.lua_tonumberx(L, 2, 0);
  return type === LUA.string ? Number(memory.readShort(L, 2)) : Number.NaN;
}

/** `os.date`: always UTC; `*t` gives a table, else strftime's conversions. */
function formatDate(format: string, seconds: number): string | Record<string, number | boolean> {
  const date = new Date(seconds * 1000);
  if (Number.isNaN(date.getTime())) throw new ScriptError('BAD_ARGUMENT', 'os.date: time: expected seconds since 1970');
  const [year, month, day] = [date.getUTCFullYear(), date.getUTCMonth(), date.getUTCDate()];
  const yday = Math.floor((Date.UTC(year, month, day) - Date.UTC(year, 0, 1)) / 86_400_000) + 1;
  const [hour, min, sec, wday] = [date.getUTCHours(), date.getUTCMinutes(), date.getUTCSeconds(), date.getUTCDay()];
  const spec = format.replace(/^!/, '');
  if (spec.startsWith('*t')) return { year, month: month + 1, day, hour, min, sec, wday: wday + 1, yday, isdst: false };
  const two = (n: number) => String(n).padStart(2, '0');
  const clock = `${two(hour)}:${two(min)}:${two(sec)}`;
  const short = (names: readonly string[], n: number) => (names[n] ?? '').slice(0, 3);
  const parts: Record<string, string> = {
    Y: String(year),
    y: two(year % 100),
    m: two(month + 1),
    d: two(day),
    H: two(hour),
    M: two(min),
    S: two(sec),
    p: hour < 12 ? 'AM' : 'PM',
    I: two(hour % 12 || 12),
    j: String(yday).padStart(3, '0'),
    A: DAYS[wday] ?? '',
    a: short(DAYS, wday),
    B: MONTHS[month] ?? '',
    b: short(MONTHS, month),
    w: String(wday),
    F: `${year}-${two(month + 1)}-${two(day)}`,
    T: clock,
    X: clock,
    D: `${two(month + 1)}/${two(day)}/${two(year % 100)}`,
    x: `${two(month + 1)}/${two(day)}/${two(year % 100)}`,
    R: `${two(hour)}:${two(min)}`,
    s: String(seconds),
    Z: 'UTC',
    z: '+0000',
    n: '\n',
    t: '\t',
    '%': '%',
    c: `${short(DAYS, wday)} ${short(MONTHS, month)} ${String(day).padStart(2)} ${clock} ${year}`,
  };
  return spec.replaceAll(/%(.?)/g, (_, letter: string) => {
    const part = parts[letter];
    if (part === undefined) throw new ScriptError('BAD_ARGUMENT', `os.date: invalid conversion specifier "%${letter}"`);
    return part;
  });
}
