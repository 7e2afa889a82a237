import { describe, expect, it } from 'vitest';
import { toJSONSchema, z as zod } from 'zod';
import { schemaOf, z } from '../src/zod.ts';

/** A schema that says when it is made. */
function watched() {
  const seen = { made: false };
  const shape = {
    get inner() {
      seen.made = true;
      return zod.string();
    },
  };
  return { seen, shape };
}

/** The same schema in either zod. */
const person = (lib: typeof z) =>
  lib
    .strictObject({
      name: lib.string().min(2).max(5).regex(/^a/).describe('who'),
      age: lib.int().positive().nullable(),
      tags: lib.array(lib.enum(['x', 'y'])).default(['x']),
      kind: lib.union([lib.literal('cat'), lib.record(lib.string(), lib.number().nonnegative())]).optional(),
    })
    .extend({ ok: lib.boolean() });

describe('schemas of definitions', () => {
  it('are made when somebody first looks at them, and once', () => {
    const { seen, shape } = watched();
    const schema = z.array(z.object(shape).optional()).default([]).describe('later');
    expect(seen.made).toBe(false);
    expect(schema.parse([{ inner: 'a' }])).toEqual([{ inner: 'a' }]);
    expect(seen.made).toBe(true);
    expect(schemaOf(schema)).toBe(schemaOf(schema));
    expect('_zod' in z.string()).toBe(true);
  });

  it('are made at once by zod itself', () => {
    const { seen, shape } = watched();
    zod.toJSONSchema(zod.object(shape));
    expect(seen.made).toBe(true);
  });

  it('accept, refuse and describe themselves as those of zod', () => {
    const [ours, theirs] = [person(z), person(zod)];
    expect(toJSONSchema(schemaOf(ours))).toEqual(toJSONSchema(theirs));
    const good = { name: 'abc', age: 3, ok: true };
    expect(ours.parse(good)).toEqual(theirs.parse(good));
    for (const bad of [{ name: 'b' }, { ...good, extra: 1 }, { ...good, kind: { a: -1 } }, null])
      expect(ours.safeParse(bad).error?.issues).toEqual(theirs.safeParse(bad).error?.issues);
    expect(Object.keys(ours.shape)).toEqual(Object.keys(theirs.shape));
    expect(ours.shape.name.description).toBe('who');
  });

  it('can be parts of schemas that zod makes', () => {
    expect(zod.object({ a: schemaOf(z.string().min(1)) }).safeParse({ a: '' }).success).toBe(false);
    expect(zod.object({ a: z.string().min(1) }).safeParse({ a: '' }).success).toBe(false);
  });
});
