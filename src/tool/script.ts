import { describeContent } from '../call/check/failure.ts';
import type { Checker } from '../call/compile.ts';
import type { Context, Language } from '../call/context.ts';
import { checkerOf, type SchemaChecker } from '../call/json-schema/check.ts';
import { lines } from '../call/lines.ts';
import type { Callback, ValueMap } from '../call/value.ts';
import { asScriptError, ScriptError } from '../errors.ts';
import { checkToolName, TOOL_TIMEOUT_MS, type Tool } from './tool.ts';

/** A tool as a script writes it. */
export interface ScriptToolDefinition {
  readonly name: string;
  readonly description: string;
  /** JSON Schema of type object; anything goes if not given. */
  readonly parameters?: ValueMap | undefined;
  readonly handler: Callback;
  readonly category?: string | undefined;
  readonly tags?: readonly string[] | undefined;
  readonly timeout_ms?: number | undefined;
}

/** A tool whose handler is a function of the script; what it is called with is checked against its parameters, or as given. */
export function scriptTool(definition: ScriptToolDefinition, check: Checker = checkerOf(schemaOf(definition))): Tool {
  const { name, description, handler, category = 'script', tags = [], timeout_ms = TOOL_TIMEOUT_MS } = definition;
  return {
    name,
    description,
    category,
    tags,
    version: '1.0.0',
    source: 'script',
    needs: undefined,
    timeoutMs: timeout_ms,
    examples: [],
    schema: schemaOf(definition),
    resultSchema: {},
    check: (input, context) => check(input, name, context.run.language),
    execute: (input, context) =>
      context.run.get(lines).waiting(context, () => context.invoke(handler, [input as ValueMap], { timeoutMs: timeout_ms, title: name })),
  };
}

/**
 * As `scriptTool`, for a tool that a script defines itself: its name and its parameters are checked too, and the run is charged with what it keeps. Throws
 * BAD_ARGUMENT when they are no JSON Schema of an object, LIMIT_EXCEEDED for one that is too large; messages begin with `where`.
 */
export function ownTool(definition: ScriptToolDefinition, where: string, { run, method }: Context): Tool {
  const check = checkerOfOwn(definition, where, run.language);
  const tool = scriptTool(definition, check);
  run.kept.hold(method, tool, check.bytes);
  return tool;
}

function checkerOfOwn(definition: ScriptToolDefinition, where: string, language: Language): SchemaChecker {
  try {
    checkToolName(definition.name, 'name');
    const { type } = schemaOf(definition);
    if (type !== 'object') throw new ScriptError('BAD_ARGUMENT', `parameters.type: expected "object", got ${describeContent(type)}`);
    return checkerOf(schemaOf(definition), 'parameters', language);
  } catch (thrown) {
    const error = asScriptError(thrown);
    error.message = where + error.message;
    throw error;
  }
}

function schemaOf({ parameters = {} }: ScriptToolDefinition): ValueMap {
  return { type: 'object', ...parameters };
}
