import { builtinGlobal, method } from '../call/define.ts';
import { anyValue, callback } from '../call/schema.ts';
import { VALUE_LIMITS } from '../call/value.ts';
import { backup, deleteBackup, listBackups, restore, validateBackup } from '../state/backup.ts';
import { MOST_TTL_MS } from '../state/manager.ts';
import { migrate, schemaVersion } from '../state/migrate.ts';
import { clear, compareAndSet, exists, increment, listKeys, listScopes, load, remove, save, transact, update, usage } from '../state/state.ts';
import { transformation } from '../state/transform.ts';
import { z } from '../zod.ts';

const scope = z
  .string()
  .describe(
    '`global` or kind:id (agent, workflow, session, user, tool, hook, custom); tenant:ID is a scope beside these, kept with the tenant of this id, for which the run needs a grant unless it is its own',
  );
const key = z.string();

/** Values that outlive the run. */
export const stateGlobal = builtinGlobal({
  name: 'State',
  doc: "Values that outlive the run, in scopes of the run's tenant. The host's StateManager and all runs see the same values at once.",
  methods: {
    save: method({
      doc: 'Saves a value under a key of a scope; nil inside a value is JSON.null. With `ttl_ms` it is gone after that time.',
      params: { scope, key, value: anyValue, options: z.strictObject({ ttl_ms: z.number().positive().max(MOST_TTL_MS).optional() }).optional() },
      result: z.void(),
      effect: 'write',
      examples: [
        {
          lua: `State.save("agent:gpt-4", "history", {{role = "user", content = "Hello"}})`,
          javascript: `State.save("agent:gpt-4", "history", [{role: "user", content: "Hello"}])`,
        },
      ],
      handler: ({ scope, key, value, options }, context) => save(context, scope, key, value, options),
    }),
    load: method({
      doc: 'The value under a key, nil when there is none.',
      params: { scope, key },
      result: anyValue,
      effect: 'read',
      examples: [
        {
          lua: `local config = State.load("global", "config") or {retries = 3}\nprint(config.retries)`,
          javascript: `const config = State.load("global", "config") ?? {retries: 3}\nprint(config.retries)`,
        },
      ],
      handler: ({ scope, key }, context) => load(context, scope, key),
    }),
    delete: method({
      doc: 'Deletes a key; says whether it was there.',
      params: { scope, key },
      result: z.boolean(),
      effect: 'write',
      examples: [{ lua: `print(State.delete("global", "config"))`, javascript: `print(State.delete("global", "config"))` }],
      handler: ({ scope, key }, context) => remove(context, scope, key),
    }),
    exists: method({
      doc: 'Whether there is a value under a key.',
      params: { scope, key },
      result: z.boolean(),
      effect: 'read',
      examples: [{ lua: `print(State.exists("global", "config"))`, javascript: `print(State.exists("global", "config"))` }],
      handler: ({ scope, key }, context) => exists(context, scope, key),
    }),
    list_keys: method({
      doc: 'The keys of a scope in byte order.',
      params: {
        scope,
        options: z
          .strictObject({
            prefix: z.string().optional(),
            limit: z.int().min(1).optional(),
            after: z.string().optional().describe('the last key of the page before'),
          })
          .default({}),
      },
      result: z.array(z.string()),
      effect: 'read',
      examples: [
        {
          lua: `State.save("global", "job:1", true)\nprint(State.list_keys("global", {prefix = "job:"}))`,
          javascript: `State.save("global", "job:1", true)\nprint(State.list_keys("global", {prefix: "job:"}))`,
        },
      ],
      handler: ({ scope, options }, context) => {
        // What is longer is refused, and need not be read to its end.
        const limit = Math.min(options.limit ?? VALUE_LIMITS.nodes, VALUE_LIMITS.nodes);
        return listKeys(context, scope, { ...options, limit, bytes: VALUE_LIMITS.bytes });
      },
    }),
    update: method({
      doc: 'Replaces a value by what a function makes of it (nil when absent), atomically, and gives the new value; nil deletes. The function may run up to 10 times, then CONFLICT, and may call only State, JSON, Logger and pure methods.',
      params: { scope, key, fn: callback('(old: any) => any') },
      result: anyValue,
      effect: 'write',
      only_callbacks: true,
      examples: [
        {
          lua: `print(State.update("global", "visits", function(n) return (n or 0) + 1 end))`,
          javascript: `print(State.update("global", "visits", n => (n ?? 0) + 1))`,
        },
      ],
      handler: ({ scope, key, fn }, context) => update(context, scope, key, fn),
    }),
    compare_and_set: method({
      doc: 'Saves a value only where the present one equals `expected` (nil: absent); says whether it did.',
      params: { scope, key, expected: anyValue, value: anyValue },
      result: z.boolean(),
      effect: 'write',
      examples: [
        { lua: `print(State.compare_and_set("global", "leader", nil, "me"))`, javascript: `print(State.compare_and_set("global", "leader", null, "me"))` },
      ],
      handler: ({ scope, key, expected, value }, context) => compareAndSet(context, scope, key, expected, value),
    }),
    increment: method({
      doc: 'Adds to a number, 1 if not told otherwise, and gives the sum; absent counts as 0.',
      params: { scope, key, by: z.number().default(1) },
      result: z.number(),
      effect: 'write',
      examples: [{ lua: `print(State.increment("global", "calls"))`, javascript: `print(State.increment("global", "calls"))` }],
      handler: ({ scope, key, by }, context) => increment(context, scope, key, by),
    }),
    transaction: method({
      doc: 'Runs a function whose changes of State are saved all or not at all, and gives its result. It sees its own writes and one moment of everything else; it may run up to 10 times, then CONFLICT. What it reads and saves takes 32 MB at most, and that of all that are open at once what a run may keep, else LIMIT_EXCEEDED. Nested ones join.',
      params: { fn: callback('() => any') },
      result: anyValue,
      effect: 'write',
      only_callbacks: true,
      examples: [
        {
          lua: `State.transaction(function()\n  State.increment("user:ada", "balance", -5)\n  State.increment("user:bob", "balance", 5)\nend)\nprint(State.load("user:bob", "balance"))`,
          javascript: `State.transaction(() => {\n  State.increment("user:ada", "balance", -5)\n  State.increment("user:bob", "balance", 5)\n})\nprint(State.load("user:bob", "balance"))`,
        },
      ],
      handler: ({ fn }, context) => transact(context, (inside) => inside.invoke(fn, [])),
    }),
    list_scopes: method({
      doc: "The scopes of the run's own tenant that hold anything.",
      params: {},
      result: z.array(z.string()),
      effect: 'read',
      examples: [{ lua: `print(State.list_scopes())`, javascript: `print(State.list_scopes())` }],
      handler: (_, context) => listScopes(context),
    }),
    clear: method({
      doc: 'Removes every value of a scope and gives how many that were; the version of the scope stays.',
      params: { scope },
      result: z.int(),
      effect: 'write',
      needs: 'state:admin',
      examples: [{ lua: `print(State.clear("custom:scratch"))`, javascript: `print(State.clear("custom:scratch"))` }],
      handler: ({ scope }, context) => clear(context, scope),
    }),
    get_storage_usage: method({
      doc: 'How much is stored; bytes of keys and values.',
      params: {},
      result: z.object({ entries: z.int(), scopes: z.int(), bytes: z.int() }),
      effect: 'read',
      examples: [{ lua: `print(State.get_storage_usage().entries)`, javascript: `print(State.get_storage_usage().entries)` }],
      handler: (_, context) => usage(context),
    }),
    migrate: method({
      doc: "Changes every value of a scope (`global` if not given) that is a map, in one transaction; a function of your own (`custom`) gets a field's value and the whole value and gives what the field becomes, nil to remove it; a value that fails undoes all. Raises CONFLICT when the scope's version is not `from_version`.",
      params: {
        migration: z.strictObject({
          from_version: z.int().min(1),
          to_version: z.int().min(1),
          scope: scope.optional(),
          transformations: z.array(transformation).default([]),
          dry_run: z.boolean().optional().describe('do everything but save'),
        }),
      },
      result: z.object({ migrated: z.int(), skipped: z.int(), failed: z.int(), from_version: z.int(), to_version: z.int(), duration_ms: z.number() }),
      effect: 'write',
      needs: 'state:admin',
      examples: [
        {
          lua: `State.save("global", "user", {old_field = "x"})\nState.migrate({\n  from_version = 1,\n  to_version = 2,\n  transformations = {\n    {field = "old_field", transform = "copy", to = "new_field"},\n    {field = "version", transform = "default", value = 2}\n  }\n})\nlocal user = State.load("global", "user")\nprint(user.old_field, user.new_field, user.version)`,
          javascript: `State.save("global", "user", {old_field: "x"})\nState.migrate({\n  from_version: 1,\n  to_version: 2,\n  transformations: [\n    {field: "old_field", transform: "copy", to: "new_field"},\n    {field: "version", transform: "default", value: 2}\n  ]\n})\nconst user = State.load("global", "user")\nprint(user.old_field, user.new_field, user.version)`,
        },
      ],
      handler: ({ migration }, context) => migrate(context, migration),
    }),
    get_schema_version: method({
      doc: 'The version of a scope, `global` if not given: 1 until a migration changes it.',
      params: { scope: scope.default('global') },
      result: z.int(),
      effect: 'read',
      examples: [{ lua: `print(State.get_schema_version())`, javascript: `print(State.get_schema_version())` }],
      handler: ({ scope }, context) => schemaVersion(context, scope),
    }),
    backup: method({
      doc: "Copies all State of the run's own tenant at one moment to a file with a checksum; gives its id. Sessions and artifacts are no part of it.",
      params: { options: z.strictObject({ description: z.string().max(1_000).optional() }).default({}) },
      result: z.string(),
      effect: 'write',
      needs: 'state:admin',
      examples: [
        {
          lua: `local id = State.backup({description = "Pre-update"})\nState.restore(id)`,
          javascript: `const id = State.backup({description: "Pre-update"})\nState.restore(id)`,
        },
      ],
      handler: ({ options }, context) => backup(context, options.description),
    }),
    list_backups: method({
      doc: 'The backups, newest first.',
      params: {},
      result: z.array(z.object({ id: z.string(), description: z.string().optional(), created_at: z.number(), size_bytes: z.int(), entries: z.int() })),
      effect: 'read',
      examples: [{ lua: `print(#State.list_backups())`, javascript: `print(State.list_backups().length)` }],
      handler: (_, context) => listBackups(context),
    }),
    restore: method({
      doc: "Replaces all of the tenant's State by a backup in one transaction, while others go on working. First makes a backup of what was there until then and gives its id.",
      params: { id: z.string() },
      result: z.string(),
      effect: 'write',
      needs: 'state:admin',
      examples: [
        {
          lua: `local id = State.backup()\nlocal undo = State.restore(id)\nState.restore(undo)`,
          javascript: `const id = State.backup()\nconst undo = State.restore(id)\nState.restore(undo)`,
        },
      ],
      handler: ({ id }, context) => restore(context, id),
    }),
    validate_backup: method({
      doc: 'Whether a backup is whole, so that it can be restored.',
      params: { id: z.string() },
      result: z.boolean(),
      effect: 'read',
      examples: [{ lua: `print(State.validate_backup(State.backup()))`, javascript: `print(State.validate_backup(State.backup()))` }],
      handler: ({ id }, context) => validateBackup(context, id),
    }),
    delete_backup: method({
      doc: 'Deletes a backup; says whether there was one.',
      params: { id: z.string() },
      result: z.boolean(),
      effect: 'write',
      needs: 'state:admin',
      examples: [{ lua: `print(State.delete_backup(State.backup()))`, javascript: `print(State.delete_backup(State.backup()))` }],
      handler: ({ id }, context) => deleteBackup(context, id),
    }),
  },
});
