import { withEffort } from '../check/effort.ts';
import type { Failure } from '../check/failure.ts';
import type { Checker } from '../compile.ts';
import type { Language } from '../context.ts';
import type { Value } from '../value.ts';
import { type CompiledSchema, compileJsonSchema } from './compile.ts';
import { fit, MISFIT, newSeen, type Visit } from './part.ts';

/** A checker that says what it keeps, bytes. */
export type SchemaChecker = Checker & { readonly bytes: number };

/**
 * What checks values against a JSON Schema (2020-12), as scripts and models give them: defaults are filled in, null stands for a property that is not
 * given, an empty table for an empty array. Patterns are those of RE2, formats are checked where they are common ones, keywords that are unknown say
 * nothing. Throws BAD_ARGUMENT when it is none; `name` begins the message.
 */
export function checkerOf(schema: Value, name = 'schema', language: Language = 'javascript'): SchemaChecker {
  const compiled = compileJsonSchema(schema, name, language);
  const check: Checker = (value, path, language = 'javascript') => {
    const { result, failures } = visited(compiled, value, path, { lenient: true, all: false });
    if (result === MISFIT) throw (failures[0] as Failure).toError(path, language);
    return result;
  };
  return Object.assign(check, { bytes: compiled.document.bytes });
}

/** All that does not fit in data that is taken as it stands, or with an empty table for an empty array where it comes from Lua. Throws as `checkerOf`, and LIMIT_EXCEEDED for too much work. */
export function failuresOf(schema: Value, name: string, data: unknown, language: Language = 'javascript'): readonly Failure[] {
  return visited(compileJsonSchema(schema, name, language), data, name, { lenient: language === 'lua', all: true }).failures;
}

function visited({ part, document }: CompiledSchema, value: unknown, path: string, how: Pick<Visit, 'lenient' | 'all'>) {
  const visit: Visit = { ...how, counts: document.countsRest, path: [], failures: [], scopes: document.scopes };
  return { result: withEffort(path, () => fit(part, value, visit, newSeen(visit))), failures: visit.failures };
}
