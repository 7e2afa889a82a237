import { z } from '../../zod.ts';
import { defineTool } from '../tool.ts';

/** Identifiers from the run's random numbers: the same seed gives the same ones. */
export const uuid = defineTool(
  {
    name: 'uuid',
    description: 'Makes unique identifiers',
    category: 'text',
    tags: ['id'],
    input: z.strictObject({ count: z.int().min(1).max(1_000).default(1) }),
    output: z.object({ uuid: z.string(), uuids: z.array(z.string()) }),
    examples: [{ lua: `print(#Tool.execute("uuid", {count = 3}).uuids)`, javascript: `print(Tool.execute("uuid", {count: 3}).uuids.length)` }],
    execute({ count }, { run }) {
      const uuids = Array.from({ length: count }, () => run.uuid());
      return { uuid: uuids[0] as string, uuids };
    },
  },
  'builtin',
);
