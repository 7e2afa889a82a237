import { arch, availableParallelism, platform, totalmem } from 'node:os';
import { z } from '../../zod.ts';
import { defineTool } from '../tool.ts';

/** What kind of machine this is; nothing that names it, its users or its folders. */
export const systemInfo = defineTool(
  {
    name: 'system_info',
    description: 'Tells what kind of machine the script runs on',
    category: 'system',
    tags: ['platform', 'cpu', 'memory'],
    input: z.strictObject({}),
    output: z.object({
      platform: z.string().describe('linux, darwin or win32'),
      architecture: z.string().describe('x64 or arm64'),
      cpus: z.int().describe('how many threads run at once'),
      memory_mb: z.int().describe('of the machine'),
      node: z.string().describe('version of Node'),
      language: z.enum(['lua', 'javascript']),
    }),
    examples: [
      {
        lua: `print(Tool.execute("system_info", {}).cpus > 0)`,
        javascript: `print(Tool.execute("system_info", {}).cpus > 0)`,
      },
    ],
    execute: (_, { run }) => ({
      platform: platform(),
      architecture: arch(),
      cpus: availableParallelism(),
      memory_mb: Math.round(totalmem() / 2 ** 20),
      node: process.versions.node,
      language: run.language,
    }),
  },
  'builtin',
);
