import { allowedBy } from '../../call/capability.ts';
import { ScriptError } from '../../errors.ts';
import { z } from '../../zod.ts';
import { defineTool } from '../tool.ts';

/** Environment variables of the host, those that the run may read and no others. */
export const environment = defineTool(
  {
    name: 'environment',
    description: 'Reads allowed environment variables',
    category: 'system',
    tags: ['variable', 'settings'],
    needs: 'environment',
    input: z.strictObject({ name: z.string().min(1).max(200).optional().describe('all allowed ones if not given') }),
    output: z.object({
      value: z.string().optional().describe('absent when the variable is not set'),
      variables: z.record(z.string(), z.string()).describe('those of the allowed names that are set'),
    }),
    examples: [
      {
        lua: `local ok, err = pcall(Tool.execute, "environment", {name = "SECRET"})\nprint(err.code)`,
        javascript: `try { Tool.execute("environment", {name: "SECRET"}) } catch (err) { print(err.code) }`,
      },
    ],
    execute({ name }, { run }) {
      const allowed = run.grants.environment;
      if (name !== undefined && !allowed.includes(name))
        throw new ScriptError('NOT_ALLOWED', `environment: this run may not read the variable ${name} (${allowedBy('environment', name)})`);
      const names = name === undefined ? allowed : [name];
      const variables = Object.fromEntries(names.flatMap((one) => (process.env[one] === undefined ? [] : [[one, process.env[one] as string]])));
      return name === undefined || variables[name] === undefined ? { variables } : { value: variables[name] as string, variables };
    },
  },
  'builtin',
);
