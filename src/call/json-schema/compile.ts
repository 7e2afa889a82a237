import { withEffort } from '../check/effort.ts';
import { describeContent } from '../check/failure.ts';
import type { Language } from '../context.ts';
import type { Value } from '../value.ts';
import { ARRAYS } from './arrays.ts';
import { Document } from './document.ts';
import { IN_PLACE } from './in-place.ts';
import type { Keyword } from './keyword.ts';
import { OBJECTS } from './objects.ts';
import { fit, misfit, type Part, type Resource } from './part.ts';
import { SCALARS, wantedBy } from './scalars.ts';

/** In the order in which they look at a value: those that put it right come first, those that ask what the others have looked at last. */
const KEYWORDS = new Map<string, Keyword>(Object.entries({ ...SCALARS, ...IN_PLACE, ...OBJECTS, ...ARRAYS }));
const ORDER = new Map([...KEYWORDS.keys()].map((keyword, place) => [keyword, place]));
const ANYTHING: Part = { rules: [], wanted: 'a value', fallback: undefined };
const NOTHING: Part = { rules: [(value, visit) => misfit(visit, 'nothing', value)], wanted: 'nothing', fallback: undefined };

/** A schema made ready. */
export interface CompiledSchema {
  readonly part: Part;
  readonly document: Document;
}

/**
 * A JSON Schema as closures. Throws BAD_ARGUMENT for what is none, with the place as scripts of the language write it, and LIMIT_EXCEEDED for one that is
 * too large.
 */
export function compileJsonSchema(given: Value, name: string, language: Language): CompiledSchema {
  return withEffort(name, () => compileDocument(new Document(given, name, language)));
}

function compileDocument(document: Document): CompiledSchema {
  const parts = new Map<object, Part>();
  const compile = (schema: unknown): Part => {
    if (typeof schema !== 'object' || schema === null) return schema === false ? NOTHING : ANYTHING;
    const known = parts.get(schema);
    if (known) return known;
    const of = schema as Readonly<Record<string, unknown>>;
    let words: string | undefined;
    const part: Part = {
      rules: [],
      get wanted() {
        words ??= wantedBy(of);
        return words;
      },
      fallback: of.default,
    };
    parts.set(schema, part);
    const keywords = Object.keys(of).filter((keyword) => KEYWORDS.has(keyword));
    for (const keyword of keywords.sort((a, b) => (ORDER.get(a) ?? 0) - (ORDER.get(b) ?? 0))) {
      const refuse = (wanted: string) => document.refuse(schema, keyword, `expected ${wanted}, got ${describeContent(of[keyword])}`);
      const rule = KEYWORDS.get(keyword)?.(of[keyword], { schema: of, compile, document, refuse });
      if (rule) part.rules.push(rule);
    }
    if (document.isResource(schema)) enterFirst(part, document.home(schema));
    return part;
  };
  return { part: compile(document.root), document };
}

/** Makes a part be looked at inside of its own resource, which dynamic references see. */
function enterFirst(part: Part, resource: Resource): void {
  const inner: Part = { rules: [...part.rules], wanted: '', fallback: undefined };
  part.rules.splice(0, Number.POSITIVE_INFINITY, (value, visit, seen) => {
    visit.scopes.push(resource);
    const result = fit(inner, value, visit, seen);
    visit.scopes.pop();
    return result;
  });
}
