import { checkerOf } from '../call/json-schema/check.ts';
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

/** A tool whose handler is a function of the script. Throws BAD_ARGUMENT when `parameters` is no JSON Schema of an object. */
export function scriptTool({
  name,
  description,
  parameters = {},
  handler,
  category = 'script',
  tags = [],
  timeout_ms = TOOL_TIMEOUT_MS,
}: ScriptToolDefinition): Tool {
  if (parameters.type !== undefined && parameters.type !== 'object')
    throw new ScriptError('BAD_ARGUMENT', 'parameters: expected a JSON Schema of type "object"');
  const schema: ValueMap = { type: 'object', ...parameters };
  const check = checkerOf(schema, 'parameters');
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
    schema,
    resultSchema: {},
    check: (input, context) => check(input, name, context.run.language),
    execute: (input, context) =>
      context.run.get(lines).waiting(context, () => context.invoke(handler, [input as ValueMap], { timeoutMs: timeout_ms, title: name })),
  };
}

/** As `scriptTool`, for a tool that a script defines itself: its name is checked too, and messages begin with `where`. */
export function ownTool(definition: ScriptToolDefinition, where: string): Tool {
  try {
    checkToolName(definition.name, 'name');
    return scriptTool(definition);
  } catch (error) {
    throw new ScriptError('BAD_ARGUMENT', `${where}${asScriptError(error).message}`, { cause: error });
  }
}
