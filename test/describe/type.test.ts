import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { fieldOf } from '../../src/describe/type.ts';

describe('a parameter', () => {
  it.each<[string, z.ZodType, boolean]>([
    ['with a default', z.int().default(1), true],
    ['with a default and a description', z.int().default(1).describe('how often'), true],
    ['that may be left out', z.int().optional(), true],
    ['that must be given', z.int(), false],
    ['that may be null', z.int().nullable(), false],
  ])('%s', (_, schema, optional) => expect(fieldOf('n', schema).optional).toBe(optional));
});
