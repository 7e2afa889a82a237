import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Value, ValueMap } from '../../../src/call/value.ts';
import { KnowledgeDatabase } from '../../../src/rag/store/database.ts';
import { storable, storeDocument } from '../../../src/rag/store/documents.ts';
import { compileFilter } from '../../../src/rag/store/filter.ts';
import { type BaseRow, baseTables } from '../../../src/rag/store/schema.ts';

/** What a filter means, said once more and without a database. */
function fits(filter: ValueMap, metadata: ValueMap, path: string[] = []): boolean {
  return Object.entries(filter).every(([key, wanted]) => {
    if (key === '$and') return (wanted as ValueMap[]).every((part) => fits(part, metadata, path));
    if (key === '$or') return (wanted as ValueMap[]).some((part) => fits(part, metadata, path));
    if (key === '$not') return !fits(wanted as ValueMap, metadata, path);
    if (key.startsWith('$')) return holds(key, wanted, valuesAt(metadata, path));
    const below = [...path, ...key.split('.')];
    return isMap(wanted) ? fits(wanted, metadata, below) : holds('$eq', wanted, valuesAt(metadata, below));
  });
}

function holds(name: string, wanted: Value, values: Value[]): boolean {
  const any = (test: (value: Value) => boolean) => values.some(test);
  const compare = (test: (order: number) => boolean) => any((value) => typeof value === typeof wanted && value !== null && test(order(value, wanted)));
  switch (name) {
    case '$eq':
      return any((value) => value === wanted);
    case '$ne':
      return !any((value) => value === wanted);
    case '$in':
      return any((value) => (wanted as Value[]).includes(value) && !Number.isNaN(value));
    case '$nin':
      return !any((value) => (wanted as Value[]).includes(value) && !Number.isNaN(value));
    case '$exists':
      return values.length > 0 === wanted;
    case '$gt':
      return compare((order) => order > 0);
    case '$gte':
      return compare((order) => order >= 0);
    case '$lt':
      return compare((order) => order < 0);
    default:
      return compare((order) => order <= 0);
  }
}

function order(a: Value, b: Value): number {
  if (typeof a === 'string') return Buffer.compare(Buffer.from(a), Buffer.from(b as string));
  return (a as number) < (b as number) ? -1 : (a as number) > (b as number) ? 1 : (a as number) === (b as number) ? 0 : Number.NaN;
}

/** Every value at a path: through lists, and the list itself. */
function valuesAt(value: Value, path: string[]): Value[] {
  if (Array.isArray(value)) return [...(path.length === 0 ? [value] : []), ...value.flatMap((item) => valuesAt(item, path))];
  if (path.length === 0) return [value];
  if (!isMap(value)) return [];
  return Object.entries(value).flatMap(([key, item]) => {
    const parts = key.split('.');
    return parts.every((part, at) => path[at] === part) ? valuesAt(item, path.slice(parts.length)) : [];
  });
}

function isMap(value: Value): value is ValueMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

const key = fc.constantFrom('a', 'b', 'c', 'a.b', '__proto__');
const scalar = fc.oneof(
  fc.integer({ min: -3, max: 3 }),
  fc.constantFrom<Value>(0.5, 2 ** 60, -0, Number.POSITIVE_INFINITY, Number.NaN, null, true, false, '', 'x', 'X', 'ab', 'é', '😀', '\uffee', 'a\0b', '1', '%'),
);
const map = (value: fc.Arbitrary<Value>, minKeys = 0) =>
  fc.dictionary(key, value, { minKeys, maxKeys: 3 }).map((entries) => Object.fromEntries(Object.entries(entries)) as ValueMap);
const { metadata } = fc.letrec<{ value: Value; metadata: ValueMap }>((tie) => ({
  value: fc.oneof({ maxDepth: 2 }, scalar, fc.array(tie('value'), { maxLength: 3 }), tie('metadata')),
  metadata: map(tie('value')),
}));
const comparable = scalar.filter((value) => (typeof value === 'number' && !Number.isNaN(value)) || typeof value === 'string');
const test = fc.oneof(
  fc.tuple(fc.constantFrom('$eq', '$ne'), scalar),
  fc.tuple(fc.constantFrom('$gt', '$gte', '$lt', '$lte'), comparable),
  fc.tuple(fc.constantFrom('$in', '$nin'), fc.array(scalar, { maxLength: 4 })),
  fc.tuple(fc.constant('$exists'), fc.boolean()),
);
const tests = fc.array(test, { minLength: 1, maxLength: 2 }).map((entries) => Object.fromEntries(entries) as ValueMap);
const { filter } = fc.letrec<{ filter: ValueMap; condition: ValueMap }>((tie) => ({
  condition: fc.oneof(
    { maxDepth: 3 },
    map(scalar, 1),
    map(tests, 1),
    map(tie('condition'), 1),
    map(
      tests.map((one) => ({ $not: one })),
      1,
    ),
  ),
  filter: fc.oneof(
    { maxDepth: 3 },
    tie('condition'),
    fc.record({ $and: fc.array(tie('filter'), { minLength: 1, maxLength: 3 }) }) as fc.Arbitrary<ValueMap>,
    fc.record({ $or: fc.array(tie('filter'), { minLength: 1, maxLength: 3 }) }) as fc.Arbitrary<ValueMap>,
    fc.record({ $not: tie('filter') }) as fc.Arbitrary<ValueMap>,
  ),
}));

function database(documents: readonly ValueMap[]): KnowledgeDatabase {
  const made = new KnowledgeDatabase(undefined, 'normal');
  made.run("INSERT INTO bases (name, settings) VALUES ('main', '{}')");
  made.db.exec(baseTables(1));
  const settings = { embedder: 'e', dimensions: 1, metric: 'dot', backend: 'flat', m: 1, ef_construction: 1, ef_search: 1 } as const;
  documents.forEach((one, at) => {
    const document = { id: String(at), hash: String(at), format: 'text', metadata: one, text: '', chunks: [] };
    storeDocument(made, made.base('main') as BaseRow, storable(document, settings), 0);
  });
  return made;
}

function found(made: KnowledgeDatabase, asked: ValueMap, way: 'set' | 'each'): number[] {
  const { sql, values } = compileFilter(asked, 1, way);
  return made.all<{ name: string }>(`SELECT name FROM documents_1 d WHERE ${sql} ORDER BY id`, ...values).map((row) => Number(row.name));
}

describe('filters', () => {
  it('in SQL select what they mean, in both ways', { timeout: 60_000 }, () => {
    fc.assert(
      fc.property(fc.array(metadata, { minLength: 1, maxLength: 8 }), fc.array(filter, { minLength: 1, maxLength: 8 }), (documents, filters) => {
        const made = database(documents);
        for (const one of filters) {
          const wanted = documents.flatMap((document, at) => (fits(one, document) ? [at] : []));
          expect(found(made, one, 'set')).toEqual(wanted);
          expect(found(made, one, 'each')).toEqual(wanted);
        }
        made.close();
      }),
      { numRuns: 80 },
    );
  });

  it('compare integers beyond 2^53, bytes and nested lists exactly', () => {
    const made = database([{ n: 2n ** 60n, b: Uint8Array.of(1, 2) }, { n: 2n ** 60n + 1n }, { list: [[1, [2]], { x: 3 }] }]);
    expect(found(made, { n: { $gt: 2n ** 60n } }, 'set')).toEqual([1]);
    expect(found(made, { b: Uint8Array.of(1, 2) }, 'set')).toEqual([0]);
    expect(found(made, { list: 2, 'list.x': 3 }, 'each')).toEqual([2]);
    made.close();
  });

  it.each<[Value, string]>([
    [{ a: { $gr: 1 } }, 'metadata_filters.a.$gr: there is no operator $gr; did you mean $gt?'],
    [{ a: { $exist: true } }, 'metadata_filters.a.$exist: there is no operator $exist; did you mean $exists?'],
    [{ $nor: [] }, 'metadata_filters.$nor: there is no operator $nor; did you mean $or?'],
    [{ a: { $regularexpression: 1 } }, 'there is no operator $regularexpression; there are $eq, $ne, $gt'],
    [{ $gt: 1 }, 'metadata_filters.$gt: expected this operator behind the name of a field, got $gt without one'],
    [{ a: { $gt: true } }, 'metadata_filters.a.$gt: expected a number or a string, got a boolean'],
    [{ a: { $in: 1 } }, 'metadata_filters.a.$in: expected a list of values, got a number'],
    [{ a: { $in: [[1]] } }, 'metadata_filters.a.$in[1]: expected a single value, got a list'],
    [{ a: [1] }, 'metadata_filters.a: expected a single value (use $in for any of several), got a list'],
    [{ a: {} }, 'metadata_filters.a: expected a filter with at least one condition, got an empty one'],
    [{ a: { $exists: 1 } }, 'metadata_filters.a.$exists: expected true or false, got a number'],
    [{ $and: [] }, 'metadata_filters.$and: expected a list of filters, got an empty one'],
    [{ $or: [1] }, 'metadata_filters.$or[1]: expected a map of conditions, got a number'],
    [{ a: '\ud800' }, 'metadata_filters.a: expected text, got a string with half of a surrogate pair'],
    [{ a: 2n ** 64n }, 'metadata_filters.a: expected an integer of at most 64 bits'],
    [{ a: { $in: Array.from({ length: 10_001 }, (_, at) => at) } }, 'metadata_filters.a.$in: expected at most 10000 values, got 10001'],
    [Array.from({ length: 40 }).reduce<ValueMap>((inner) => ({ $not: inner }), { a: 1 }), 'expected a filter at most 32 deep, got a deeper one'],
  ])('that are none are refused with their place: %#', (wrong, sentence) => {
    expect(() => compileFilter(wrong as ValueMap, 1, 'set')).toThrow(sentence);
  });
});
