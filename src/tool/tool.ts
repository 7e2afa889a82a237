import type { z } from 'zod';
import type { Capability } from '../call/capability.ts';
import { compileAnswer, compileSchema } from '../call/compile.ts';
import type { Context } from '../call/context.ts';
import type { Example } from '../call/define.ts';
import { capability, named, schema } from '../call/definition.ts';
import { toJsonSchema } from '../call/json-schema/write.ts';
import { checkFields, checkValue, fn, list, oneOf, type Rule, required, text, texts, timeout } from '../call/rules.ts';
import { type Soon, whenReady } from '../call/soon.ts';
import type { HandleType, Value, ValueMap } from '../call/value.ts';

/** What a tool may take when nobody says otherwise, ms. */
export const TOOL_TIMEOUT_MS = 30_000;

/** What running a tool does, as far as caching is concerned. */
export type ToolEffect = 'pure' | 'external';

/** A tool as its author writes it. */
export interface ToolDefinition<I extends z.ZodType = z.ZodType, O extends z.ZodType = z.ZodType> {
  /** snake_case. */
  readonly name: string;
  readonly description: string;
  /** What `Tool.discover` and `Tool.categories` sort it under; `host` if not given, as `script` for tools that scripts register. */
  readonly category?: string;
  readonly tags?: readonly string[];
  readonly version?: string;
  readonly input: I;
  readonly output: O;
  readonly needs?: Capability;
  /** Time of one execution; 30,000 if not given. */
  readonly timeout_ms?: number;
  readonly examples?: readonly Example[];
  /** `pure` when the same arguments always give the same result, so that it may be cached; `external` if not given. */
  readonly effect?: ToolEffect;
  /** A plain value answers at once; `context.signal` fires when the call is cancelled or takes too long. */
  execute(input: z.output<I>, context: Context): Soon<z.input<O>>;
}

/** Who brings a tool. */
export type ToolOrigin = 'builtin' | 'host' | 'script' | 'mcp';

/** A tool ready to run. */
export interface Tool {
  readonly name: string;
  readonly description: string;
  readonly category: string;
  readonly tags: readonly string[];
  readonly version: string;
  readonly source: ToolOrigin;
  readonly needs: Capability | undefined;
  readonly timeoutMs: number;
  readonly examples: readonly Example[];
  /** What `defineTool` was given; absent where another process or a script declares the tool. */
  readonly input?: z.ZodType;
  readonly output?: z.ZodType;
  /** JSON Schema of parameters and result. */
  readonly schema: ValueMap;
  readonly resultSchema: ValueMap;
  /** The arguments checked, with defaults. Throws BAD_ARGUMENT. */
  check(input: Value, context: Context): unknown;
  execute(input: unknown, context: Context): Soon<Value>;
  /** `pure` when the same arguments always give the same result; anything else may read or change the world. */
  readonly effect?: ToolEffect;
  /** A result that a hook puts in place, checked; absent where a tool does not say what it gives. Throws BAD_ARGUMENT. */
  checkOutput?(output: Value, context: Context): Value;
}

const NAME: Rule = { wanted: 'snake_case (a-z, 0-9, _; up to 64)', fits: (value) => typeof value === 'string' && /^[a-z][a-z0-9_]{0,63}$/.test(value) };

/** A tool is called with a map, so its input has to take one. */
const input: Rule = {
  wanted: `${schema.wanted} that takes an object`,
  fits: (value) => schema.fits(value) && takesObject(toJsonSchema(value as z.ZodType)),
};

function takesObject({ type, anyOf }: ValueMap): boolean {
  return Array.isArray(anyOf) ? anyOf.some((one) => takesObject(one as ValueMap)) : type === undefined || type === 'object';
}

const TOOL: { readonly [Name in keyof Required<ToolDefinition>]: Rule } = {
  name: required(NAME),
  description: required(text),
  category: text,
  tags: texts,
  version: text,
  input: required(input),
  output: required(schema),
  needs: capability,
  timeout_ms: timeout,
  examples: list,
  effect: oneOf('pure', 'external'),
  execute: required(fn),
};

/** Declares a tool with its types inferred; `source` is `host` unless it comes with the runtime. Throws BAD_ARGUMENT that names tool and field when the definition is wrong. */
export function defineTool<const I extends z.ZodType, const O extends z.ZodType>(definition: ToolDefinition<I, O>, source: Tool['source'] = 'host'): Tool {
  if (source === 'host') checkFields(named('defineTool', 'tool', definition), definition, TOOL);
  const check = compileSchema(definition.input);
  const checkOutput = compileSchema(definition.output);
  const run = (input: unknown, context: Context) => definition.execute(input as z.output<I>, context) as Soon<Value>;
  const answer = source === 'host' ? compileAnswer(definition.name, definition.output, 'TOOL_FAILED') : undefined;
  let parameters: ValueMap | undefined;
  let resultSchema: ValueMap | undefined;
  return {
    name: definition.name,
    description: definition.description,
    category: definition.category ?? source,
    tags: definition.tags ?? [],
    version: definition.version ?? '1.0.0',
    source,
    needs: definition.needs,
    timeoutMs: definition.timeout_ms ?? TOOL_TIMEOUT_MS,
    examples: definition.examples ?? [],
    input: definition.input,
    output: definition.output,
    get schema() {
      parameters ??= toJsonSchema(definition.input);
      return parameters;
    },
    get resultSchema() {
      resultSchema ??= toJsonSchema(definition.output);
      return resultSchema;
    },
    effect: definition.effect ?? 'external',
    check: (input, context) => check(input, definition.name, context.run.language),
    checkOutput: (output, context) => checkOutput(output, `${definition.name}: output`, context.run.language) as Value,
    execute: answer ? (input, context) => whenReady(run(input, context), answer) : run,
  };
}

/** Handles of tools as scripts see them. */
export const TOOL_HANDLE: HandleType<Tool> = {
  name: 'Tool',
  fields: ({ name, description, category, version, schema }) => ({ name, description, category, version, schema }),
};

/** Throws BAD_ARGUMENT that names the parameter unless it is snake_case. */
export function checkToolName(name: string, parameter: string): void {
  checkValue(parameter, name, NAME);
}

/** kebab-case finds the same tool. */
export function toolName(name: string): string {
  return name.replaceAll('-', '_');
}
