import type { ScriptError } from '../../errors.ts';
import { EVAL } from './exports.ts';

/** How a source was understood: a script's result is its completion value, a module's its default export, a body's what it returns. */
export type Form = 'script' | 'module' | 'body';

/** What is put around a source that returns at top level; all on the first line, so that lines stay right. */
const BODY = { before: '(async function () {', after: '\n})()' } as const;

/** A way to compile a source. */
export interface Attempt {
  readonly form: Form;
  readonly text: string;
  readonly flags: number;
}

/**
 * The ways to read a source, in order; the first that parses is meant. A script cannot contain a static import or export, so what parses only
 * as a module is one, and what parses only inside a function returns at top level.
 */
export function attempts(text: string): Attempt[] {
  const source = text.startsWith('\uFEFF') ? text.slice(1) : text;
  return [
    { form: 'script', text: source, flags: EVAL.async | EVAL.compileOnly },
    { form: 'module', text: source, flags: EVAL.module | EVAL.compileOnly },
    { form: 'body', text: BODY.before + source + BODY.after, flags: EVAL.async | EVAL.compileOnly },
  ];
}

/** Of the errors of all attempts the one that tells the author most. */
export function mostTelling(errors: ReadonlyMap<Form, ScriptError>, text: string): ScriptError {
  // White space of one line: of many empty ones each would be looked through to the last.
  const form = /return not in a function/.test(errors.get('script')?.message ?? '')
    ? 'body'
    : /^[^\S\r\n\u2028\u2029]*(?:import|export)\b(?!\s*[(.])/m.test(text)
      ? 'module'
      : 'script';
  return errors.get(form) as ScriptError;
}

/** The source as the engine has it, but for what stands behind it. */
export function compiledText(form: Form, text: string): string {
  return form === 'body' ? BODY.before + text : text;
}

/** A column of the first line as the author counts it. */
export function authorColumn(form: Form, line: number, column: number): number {
  return form === 'body' && line === 1 ? Math.max(1, column - BODY.before.length) : column;
}
