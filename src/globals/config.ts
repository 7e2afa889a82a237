import { CAPABILITIES } from '../call/capability.ts';
import { builtinGlobal, method } from '../call/define.ts';
import { anyMap, anyValue } from '../call/schema.ts';
import { GRANT_NAMES } from '../config/names.ts';
import { ScriptError } from '../errors.ts';
import { readConfig } from '../settings.ts';
import { z } from '../zod.ts';

const strings = z.array(z.string());

/** The configuration as scripts may see it. */
export const configGlobal = builtinGlobal({
  name: 'Config',
  doc: "The host's configuration, read-only; secrets read as `***`.",
  methods: {
    get: method({
      doc: 'The setting at a path such as `limits.cpu_ms`, the default when there is none, or the whole configuration without a path.',
      params: { path: z.string().optional(), default: anyValue.optional() },
      result: anyValue,
      effect: 'read',
      examples: [
        {
          lua: `print(Config.get("limits.memory_mb"), Config.get("no.such", "none"))`,
          javascript: `print(Config.get("limits.memory_mb"), Config.get("no.such", "none"))`,
        },
      ],
      handler: ({ path, default: fallback }, { run }) => readConfig(run.host.config, path) ?? fallback ?? null,
    }),
    has: method({
      doc: 'Whether there is a setting at this path.',
      params: { path: z.string() },
      result: z.boolean(),
      effect: 'read',
      examples: [{ lua: `print(Config.has("limits.cpu_ms"))`, javascript: `print(Config.has("limits.cpu_ms"))` }],
      handler: ({ path }, { run }) => readConfig(run.host.config, path) !== undefined,
    }),
    get_section: method({
      doc: 'A whole section of the configuration, nil when there is none.',
      params: { name: z.string() },
      result: anyMap.nullable(),
      effect: 'read',
      examples: [{ lua: `print(Config.get_section("log"))`, javascript: `print(Config.get_section("log"))` }],
      handler: ({ name }, { run }) => {
        const section = readConfig(run.host.config, name);
        return typeof section === 'object' && section !== null ? (section as Record<string, never>) : null;
      },
    }),
    get_provider: method({
      doc: 'A configured model provider, nil when there is none of this name.',
      params: { name: z.string() },
      result: anyMap.nullable(),
      effect: 'read',
      examples: [{ lua: `print(Config.get_provider("ollama"))`, javascript: `print(Config.get_provider("ollama"))` }],
      handler: ({ name }, { run }) => (readConfig(run.host.config, `models.providers.${name}`) as Record<string, never> | undefined) ?? null,
    }),
    list_providers: method({
      doc: 'The names of the configured model providers.',
      params: {},
      result: strings,
      effect: 'read',
      examples: [{ lua: `print(#Config.list_providers())`, javascript: `print(Config.list_providers().length)` }],
      handler: (_, { run }) => Object.keys(run.host.config.models.providers),
    }),
    is_file_access_allowed: method({
      doc: 'Whether this run may read any file, or the file or folder at a path.',
      params: { path: z.string().optional() },
      result: z.boolean(),
      effect: 'read',
      examples: [{ lua: `print(Config.is_file_access_allowed("notes.md"))`, javascript: `print(Config.is_file_access_allowed("notes.md"))` }],
      handler: async ({ path }, { run }) => {
        if (path === undefined) return run.grants.read.length > 0;
        const { mayRead } = await import('../tool/files/access.ts');
        return mayRead(run.grants, path);
      },
    }),
    is_network_access_allowed: method({
      doc: 'Whether this run may use the network at all, or reach a host on a port, or on every port where none is given. A name is not looked up: it may still turn out to be a private address, which has to be granted by its own name.',
      params: { host: z.string().optional().describe('as grants are written: `api.example.org`, `*.example.org`, `[::1]`, each also with `:PORT`, or `*`') },
      result: z.boolean(),
      effect: 'read',
      examples: [{ lua: `print(Config.is_network_access_allowed("example.org"))`, javascript: `print(Config.is_network_access_allowed("example.org"))` }],
      handler: async ({ host }, { run, method }) => {
        if (host === undefined) return run.grants.net.length > 0;
        const { wanted, fits } = GRANT_NAMES.net;
        if (!fits(host)) throw new ScriptError('BAD_ARGUMENT', `${method}: host: expected ${wanted}, got ${JSON.stringify(host.slice(0, 80))}`);
        const { coveredBy } = await import('../tool/net/rules.ts');
        return coveredBy(run.grants.net, host);
      },
    }),
    get_permissions: method({
      doc: 'What this run was granted.',
      params: {},
      result: z.object({
        capabilities: strings,
        read: z.int(),
        write: z.int(),
        net: strings,
        tenants: strings,
        models: strings,
        programs: strings,
        environment: strings,
      }),
      effect: 'read',
      examples: [{ lua: `print(Config.get_permissions().net)`, javascript: `print(Config.get_permissions().net)` }],
      handler: (_, { run: { grants } }) => ({
        capabilities: Object.keys(CAPABILITIES).filter((name) => grants.capabilities.has(name as keyof typeof CAPABILITIES)),
        read: grants.read.length,
        write: grants.write.length,
        net: [...grants.net],
        tenants: [...grants.tenants],
        models: [...grants.models],
        programs: [...grants.programs],
        environment: [...grants.environment],
      }),
    }),
  },
});
