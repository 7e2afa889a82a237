import type { STRATEGIES } from '../schemas.ts';
import type { Chunker } from './chunker.ts';
import { code } from './code.ts';
import { fixed } from './fixed.ts';
import { markdown } from './markdown.ts';
import { recursive } from './recursive.ts';
import { semantic } from './semantic.ts';
import { sentence } from './sentence.ts';

const chunkers: Readonly<Record<(typeof STRATEGIES)[number], Chunker>> = { fixed, sentence, recursive, markdown, code, semantic };

/** Every way to chunk. */
export const CHUNKERS: ReadonlyMap<string, Chunker> = new Map(Object.entries(chunkers));
