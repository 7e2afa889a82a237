import type { Case } from '../conformance/case.ts';

const calls: readonly (readonly [method: string, lua: string, js: string])[] = [
  ['save', 'State.save("tenant:b", "k", 1)', 'State.save("tenant:b", "k", 1)'],
  ['load', 'State.load("tenant:b", "k")', 'State.load("tenant:b", "k")'],
  ['delete', 'State.delete("tenant:b", "k")', 'State.delete("tenant:b", "k")'],
  ['exists', 'State.exists("tenant:b", "k")', 'State.exists("tenant:b", "k")'],
  ['list_keys', 'State.list_keys("tenant:b")', 'State.list_keys("tenant:b")'],
  ['update', 'State.update("tenant:b", "k", function() return 1 end)', 'State.update("tenant:b", "k", () => 1)'],
  ['increment', 'State.increment("tenant:b", "k")', 'State.increment("tenant:b", "k")'],
  ['compare_and_set', 'State.compare_and_set("tenant:b", "k", nil, 1)', 'State.compare_and_set("tenant:b", "k", null, 1)'],
  ['clear', 'State.clear("tenant:b")', 'State.clear("tenant:b")'],
  ['migrate', 'State.migrate({scope = "tenant:b", from_version = 1, to_version = 2})', 'State.migrate({scope: "tenant:b", from_version: 1, to_version: 2})'],
  ['get_schema_version', 'State.get_schema_version("tenant:b")', 'State.get_schema_version("tenant:b")'],
];

/** Scopes that name a tenant. */
export const cases: readonly Case[] = [
  ...calls.map(([method, lua, js]) => ({
    name: `State.${method} reaches no tenant that was not granted`,
    lua,
    js,
    grants: { tenants: ['c'] },
    expect_error: { code: 'NOT_ALLOWED', message: `State.${method}: this run may not reach the tenant b (grants.tenants or --allow-tenant b)` },
  })),
  ...([['b'], ['*']] as const).map((tenants) => ({
    name: `reaches the tenants that were granted: ${tenants}`,
    lua: `State.save("tenant:b", "k", 1) State.save("tenant:b", "m", {a = 1}) return {State.load("tenant:b", "k"), State.increment("tenant:b", "k", 4), State.update("tenant:b", "k", function(n) return n * 2 end), State.compare_and_set("tenant:b", "k", 10, 11), State.exists("tenant:b", "k"), State.list_keys("tenant:b"), State.list_scopes(), State.migrate({scope = "tenant:b", from_version = 1, to_version = 2}).to_version, State.get_schema_version("tenant:b"), State.get_schema_version(), State.delete("tenant:b", "k"), State.clear("tenant:b")}`,
    js: `State.save("tenant:b", "k", 1); State.save("tenant:b", "m", {a: 1}); [State.load("tenant:b", "k"), State.increment("tenant:b", "k", 4), State.update("tenant:b", "k", n => n * 2), State.compare_and_set("tenant:b", "k", 10, 11), State.exists("tenant:b", "k"), State.list_keys("tenant:b"), State.list_scopes(), State.migrate({scope: "tenant:b", from_version: 1, to_version: 2}).to_version, State.get_schema_version("tenant:b"), State.get_schema_version(), State.delete("tenant:b", "k"), State.clear("tenant:b")]`,
    grants: { tenants: [...tenants] },
    expect: [1, 5, 10, true, true, ['k', 'm'], [], 2, 2, 1, true, 1],
  })),
  {
    name: 'its own tenant is reached by name without a grant',
    lua: `State.save("tenant:default", "k", 1) return {State.load("tenant:default", "k"), State.list_scopes(), State.load("global", "k") == nil}`,
    js: `State.save("tenant:default", "k", 1); [State.load("tenant:default", "k"), State.list_scopes(), State.load("global", "k") === null]`,
    expect: [1, ['tenant:default'], true],
  },
  {
    name: 'a transaction stays within one tenant',
    lua: `State.transaction(function() State.save("global", "k", 1) State.save("tenant:b", "k", 1) end)`,
    js: `State.transaction(() => { State.save("global", "k", 1); State.save("tenant:b", "k", 1) })`,
    grants: { tenants: ['b'] },
    expect_error: {
      code: 'BAD_ARGUMENT',
      message: 'State.save: scope: tenant:b is not of the tenant default, in which the transaction is; each tenant has its own',
    },
  },
  {
    name: 'an update of another tenant does too',
    lua: `State.update("tenant:b", "k", function() return State.load("global", "k") end)`,
    js: `State.update("tenant:b", "k", () => State.load("global", "k"))`,
    grants: { tenants: ['b'] },
    expect_error: { code: 'BAD_ARGUMENT', message: /^State\.load: scope: global is not of the tenant b, in which the transaction is/ },
  },
  {
    name: 'refuses hostile tenants before it looks at grants',
    lua: `local r = {} for i, s in ipairs({"tenant:../b", "tenant:", "tenant:b'--", "tenant:b\\0", "tenant:\\u{430}"}) do local ok, e = pcall(State.load, s, "k") r[i] = e.code end return r`,
    js: `["tenant:../b", "tenant:", "tenant:b'--", "tenant:b\\0", "tenant:\\u{430}"].map(s => { try { State.load(s, "k"); return "ok" } catch (e) { return e.code } })`,
    grants: { tenants: ['*'] },
    expect: Array(5).fill('BAD_ARGUMENT'),
  },
];
