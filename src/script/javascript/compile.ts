import { ScriptError } from '../../errors.ts';
import type { Source } from '../engine.ts';
import { pointerOf, TAG, tagOf, UNDEFINED } from './exports.ts';
import type { Machine } from './machine.ts';
import { attempts, authorColumn, type Form, mostTelling } from './source.ts';

/** A source as the engine understood it. */
export interface Compiled {
  readonly form: Form;
  readonly value: bigint;
}

/** Compiles a source as script, module or function body, whichever parses; throws SYNTAX_ERROR with `file:line:column` in front. */
export async function compile(source: Source, evaluate: (text: string, flags: number) => Promise<bigint>): Promise<Compiled> {
  const errors = new Map<Form, ScriptError>();
  for (const { form, text, flags } of attempts(source.text)) {
    try {
      return { form, value: await evaluate(text, flags) };
    } catch (error) {
      if (!(error instanceof ScriptError) || !/^SyntaxError\b/.test(error.message)) throw error;
      errors.set(form, syntaxError(error, form));
    }
  }
  throw mostTelling(errors, source.text);
}

/** The engine's SyntaxError with its place in front of the message. */
function syntaxError(error: ScriptError, form: Form): ScriptError {
  const message = error.message.replace(/^SyntaxError: /, '');
  const column = Number(/:(\d+)\)?$/.exec(error.traceback?.split('\n', 1)[0] ?? '')?.[1] ?? 0);
  const { where } = error;
  const place = where ? `${where.file}:${where.line}:${authorColumn(form, where.line, column)}: ` : '';
  const failure = new ScriptError('SYNTAX_ERROR', place + message);
  failure.where = where;
  return failure;
}

/** The result of a source whose evaluation came to `value`, which it takes over. */
export function resultOf(machine: Machine, { form, value: compiled }: Compiled, value: bigint, cell: number): bigint {
  const { x, heap, context } = machine;
  if (form === 'module') {
    x.JS_FreeValue(context, value);
    const namespace = x.JS_GetModuleNamespace(context, pointerOf(compiled));
    heap.bytes.latin1Write('default\0', cell);
    const result = x.JS_GetPropertyStr(context, namespace, cell);
    x.JS_FreeValue(context, namespace);
    return result;
  }
  const at = tagOf(value) === TAG.object ? heap.slot(pointerOf(value), 'value') : 0;
  const result = at === 0 ? UNDEFINED : x.JS_DupValue(context, heap.value(at));
  x.JS_FreeValue(context, value);
  return result;
}
