import type { Run } from '../../call/context.ts';
import { ScriptError } from '../../errors.ts';
import { parseArguments } from '../arguments.ts';
import { naming } from '../misfit.ts';
import { PROPERTY } from './exports.ts';
import type { Machine } from './machine.ts';
import type { Writer } from './write.ts';

/** Defines `ARGS`, positional arguments from 0 and the others by name, and `INPUT`. Throws LIMIT_EXCEEDED when memory ends. */
export function defineInputs({ x, context }: Machine, writer: Writer, run: Run): void {
  const { positional, named } = parseArguments(run.args);
  const args = writer.write([...positional]);
  for (const [name, value] of Object.entries(named)) if (name !== 'length') writer.define(args, name, writer.write(value));
  const global = x.JS_GetGlobalObject(context);
  const defined = writer.define(global, 'ARGS', args, PROPERTY.writableHidden);
  const given = writer.define(
    global,
    'INPUT',
    naming('execute', 'input', () => writer.write(run.input)),
    PROPERTY.writableHidden,
  );
  x.JS_FreeValue(context, global);
  if (!(defined && given)) throw new ScriptError('LIMIT_EXCEEDED', 'not enough memory for ARGS and INPUT: they reach limits.memory_mb');
}
