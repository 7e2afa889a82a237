import type { Context, Host } from '../../call/context.ts';
import type { Cpu } from '../../call/cpu.ts';
import { toJsonTextSoon } from '../../call/json.ts';
import { eachSoon, type Soon, whenReady } from '../../call/soon.ts';
import type { Value, ValueMap } from '../../call/value.ts';
import { patternTest } from '../../event/pattern.ts';
import { runLog } from '../../log/log.ts';
import { checkPoint, POINT_SEPARATOR } from '../points.ts';
import type { BuiltinHook } from './builtin.ts';
import { type HookSettings, settingsOf } from './settings.ts';

type Settings = NonNullable<HookSettings['logging']>;

const TROUBLE = /:error$|^security:|^limit:/;
const SHOWN = ['id', 'name', 'step', 'scope', 'key', 'model', 'duration_ms', 'correlation_id', 'error'] as const;

/** `[hooks.logging]`: one line of the log for every point that it is set to, the point as message and what hooks are told as fields. */
export function loggingHooks({ config }: Host): BuiltinHook[] {
  const settings = settingsOf(config, 'logging');
  if (!settings) return [];
  for (const point of settings.points) checkPoint(point);
  const tests = settings.points.map((point) => patternTest(point, POINT_SEPARATOR));
  return settings.points.map((point, at) => ({
    name: 'logging',
    point,
    call(ctx: ValueMap, context: Context): void | Promise<void> {
      // Patterns may overlap; the first that matches writes the line.
      if (namesOf(ctx).some((name) => tests.slice(0, at).some((test) => test(name)))) return;
      const name = String(ctx.point);
      const level = TROUBLE.test(name) ? settings.error_level : settings.level;
      return whenReady(fieldsOf(context.run.cpu, ctx, settings), (fields) => context.run.get(runLog).write(level, name, fields));
    },
  }));
}

/** A point with and without the name of the agent, tool or workflow: a hook may be registered at either. */
function namesOf({ point, name }: ValueMap): string[] {
  const parts = String(point).split(':');
  return [String(point), `${parts[0]}:${parts.at(-1)}`, `${parts[0]}:${name}:${parts.at(-1)}`];
}

function fieldsOf(cpu: Cpu, ctx: ValueMap, { values, most_characters }: Settings): Soon<ValueMap> {
  const fields: ValueMap = {};
  for (const name of SHOWN) if (ctx[name] !== undefined) fields[name] = ctx[name];
  if (!values) return fields;
  const told = ['input', 'output'].filter((name) => ctx[name] !== undefined);
  const cuts = eachSoon(told, (name) => cut(cpu, ctx[name] ?? null, most_characters));
  return whenReady(cuts, (values) => ({ ...fields, ...Object.fromEntries(told.map((name, at) => [name, values[at] ?? null])) }));
}

/** Short values as they are, long ones as the beginning of their text. */
function cut(cpu: Cpu, value: Value, most: number): Soon<Value> {
  return whenReady(typeof value === 'string' ? value : toJsonTextSoon(cpu, value, { describe: true }), (text) =>
    text.length <= most ? value : `${text.slice(0, most)}… (${text.length} characters)`,
  );
}
