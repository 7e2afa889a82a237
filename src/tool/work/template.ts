import { Liquid } from 'liquidjs';
import { isMap } from '../../call/check/kind.ts';
import { toJsonText } from '../../call/json.ts';
import { define, type Value, type ValueMap } from '../../call/value.ts';
import { ScriptError } from '../../errors.ts';

export interface TemplateInput {
  readonly template: string;
  readonly variables: ValueMap;
  readonly strict: boolean;
  /** Small limits of time and memory, for trying at once what may turn out to be long: then `undefined` is the answer. */
  readonly brief?: boolean;
}

const MOST_TEXT = 5_000_000;
/** What the engine counts of one rendering: characters and items of lists, roughly. */
const MOST_MEMORY = 20_000_000;

const engine = new Liquid({
  // No files: a template cannot include what the script did not give.
  templates: {},
  relativeReference: false,
  ownPropertyOnly: true,
  parseLimit: 1_000_000,
  memoryLimit: MOST_MEMORY,
  timezoneOffset: 0,
});

/** Fills a Liquid template. Throws BAD_ARGUMENT that says what is wrong with it, LIMIT_EXCEEDED where it takes too much memory or the text is too long. */
export function run({ template, variables, strict, brief = false }: TemplateInput): { text: string } | undefined {
  let text: string;
  try {
    text = engine.parseAndRenderSync(template, new PrintedMap(variables), { strictVariables: strict, ...(brief && { renderLimit: 4, memoryLimit: 100_000 }) });
  } catch (error) {
    const message = error instanceof Error ? (withoutFiles(error.message).split('\n', 1)[0] ?? '') : 'it cannot be rendered';
    const said = message.replace(/, file:.*?(?=, line|$)/s, '').replace('Maximum call stack size exceeded', 'it is nested too deeply');
    const limited = /^(?:memory alloc|template render) limit exceeded(.*)/.exec(said);
    if (brief && limited) return undefined;
    if (limited)
      throw new ScriptError('LIMIT_EXCEEDED', `template: template: it takes more than ${MOST_MEMORY} characters and items of lists to fill it${limited[1]}`);
    throw new ScriptError('BAD_ARGUMENT', `template: template: ${said}`);
  }
  if (text.length > MOST_TEXT) throw new ScriptError('LIMIT_EXCEEDED', `template: the text has ${text.length} characters, more than ${MOST_TEXT}`);
  return { text };
}

/** A map as templates see it: its fields, and JSON where it is printed. */
class PrintedMap {
  readonly #text: () => string;
  #made: string | undefined;

  constructor(map: ValueMap) {
    this.#text = () => toJsonText(map);
    for (const [key, item] of Object.entries(map)) define(this, key, printable(item));
  }

  /** Made once: a loop may print it many times. No field can take its place. */
  [Symbol.toPrimitive](): string {
    this.#made ??= this.#text();
    return this.#made;
  }
}

/** The same data, where a map that is printed is JSON; Liquid prints the items of a list one after the other. */
function printable(value: Value): unknown {
  if (Array.isArray(value)) return value.map(printable);
  return isMap(value) ? new PrintedMap(value as ValueMap) : value;
}

/** Says of a file that is included what the engine cannot know: that there are none. */
function withoutFiles(message: string): string {
  return message.replace(
    /^ENOENT: Failed to lookup "(.*)" in "[^"]*"/s,
    (_, name: string) => `templates read no files, and this one asks for ${JSON.stringify(name.slice(0, 80))}`,
  );
}
