import type { Case } from '../conformance/case.ts';

/** State. */
export const cases: readonly Case[] = [
  {
    name: 'saves and loads every kind of value',
    lua: `State.save("global", "v", {1, "x", true, {a = 2.5}, JSON.null}) return State.load("global", "v")`,
    js: `State.save("global", "v", [1, "x", true, {a: 2.5}, null]); State.load("global", "v")`,
    expect: [1, 'x', true, { a: 2.5 }, null],
  },
  { name: 'gives nil for what is absent', lua: `return State.load("global", "none")`, js: `State.load("global", "none")`, expect: null },
  {
    name: 'keeps an empty array one',
    lua: `State.save("global", "v", JSON.array({})) return State.load("global", "v")`,
    js: `State.save("global", "v", []); State.load("global", "v")`,
    expect: [],
  },
  {
    name: 'keeps scopes apart',
    lua: `State.save("agent:a", "k", 1) State.save("agent:b", "k", 2) return {State.load("agent:a", "k"), State.load("agent:b", "k"), State.load("global", "k") == nil}`,
    js: `State.save("agent:a", "k", 1); State.save("agent:b", "k", 2); [State.load("agent:a", "k"), State.load("agent:b", "k"), State.load("global", "k") === null]`,
    expect: [1, 2, true],
  },
  {
    name: 'clearing a scope leaves its version',
    lua: `State.save("global", "k", 1) State.migrate({from_version = 1, to_version = 2}) return {State.clear("global"), State.get_schema_version(), State.list_keys("global"), State.get_schema_version("user:new")}`,
    js: `State.save("global", "k", 1); State.migrate({from_version: 1, to_version: 2}); [State.clear("global"), State.get_schema_version(), State.list_keys("global"), State.get_schema_version("user:new")]`,
    expect: [1, 2, [], 1],
  },
  {
    name: 'a transaction counts among what the run keeps until it ends',
    lua: `local v = string.rep("x", 900000) local saved = 0
local ok, e = pcall(State.transaction, function() for i = 1, 20 do State.save("global", "k" .. i, v) saved = saved + 1 end end)
State.transaction(function() State.save("global", "a", 1) State.save("global", "b", v) end)
return {ok, e.code, e.message, saved, State.load("global", "k1") == nil, State.load("global", "a")}`,
    js: `const v = "x".repeat(900000); let saved = 0, e; try { State.transaction(() => { for (let i = 1; i <= 20; i++) { State.save("global", "k" + i, v); saved++ } }) } catch (error) { e = error }
State.transaction(() => { State.save("global", "a", 1); State.save("global", "b", v) });
[e === undefined, e.code, e.message, saved, State.load("global", "k1") === null, State.load("global", "a")]`,
    limits: { memory_mb: 4 },
    expect: [
      false,
      'LIMIT_EXCEEDED',
      'State.transaction: what the run keeps beside its script comes to more than 4 times limits.memory_mb = 4 MB',
      18,
      true,
      1,
    ],
  },
  {
    name: 'deletes and says whether',
    lua: `State.save("global", "k", 1) return {State.delete("global", "k"), State.delete("global", "k"), State.exists("global", "k")}`,
    js: `State.save("global", "k", 1); [State.delete("global", "k"), State.delete("global", "k"), State.exists("global", "k")]`,
    expect: [true, false, false],
  },
  {
    name: 'lists keys in byte order, by pages',
    lua: `for _, k in ipairs({"b", "a2", "a1", "c"}) do State.save("global", k, 1) end return {State.list_keys("global"), State.list_keys("global", {prefix = "a"}), State.list_keys("global", {limit = 2, after = "a1"})}`,
    js: `for (const k of ["b", "a2", "a1", "c"]) State.save("global", k, 1); [State.list_keys("global"), State.list_keys("global", {prefix: "a"}), State.list_keys("global", {limit: 2, after: "a1"})]`,
    expect: [
      ['a1', 'a2', 'b', 'c'],
      ['a1', 'a2'],
      ['a2', 'b'],
    ],
  },
  {
    name: 'forgets after ttl_ms',
    lua: `State.save("global", "k", 1, {ttl_ms = 1}) State.save("global", "stays", 2, {ttl_ms = 1e9}) sleep(5) return {State.load("global", "k") == nil, State.exists("global", "k"), State.load("global", "stays"), State.list_keys("global")}`,
    js: `State.save("global", "k", 1, {ttl_ms: 1}); State.save("global", "stays", 2, {ttl_ms: 1e9}); sleep(5); [State.load("global", "k") === null, State.exists("global", "k"), State.load("global", "stays"), State.list_keys("global")]`,
    expect: [true, false, 2, ['stays']],
  },
  {
    name: 'updates atomically while others wait',
    lua: `parallel({1, 2, 3, 4, 5, 6, 7, 8}, function() State.update("global", "n", function(n) return (n or 0) + 1 end) end) return State.load("global", "n")`,
    js: `parallel([1, 2, 3, 4, 5, 6, 7, 8], () => { State.update("global", "n", n => (n ?? 0) + 1) }); State.load("global", "n")`,
    expect: 8,
  },
  {
    name: 'update with nil deletes',
    lua: `State.save("global", "k", 1) State.update("global", "k", function() return nil end) return State.exists("global", "k")`,
    js: `State.save("global", "k", 1); State.update("global", "k", () => null); State.exists("global", "k")`,
    expect: false,
  },
  {
    name: 'a large integer is not equal to its digits, and no NaN differs from another',
    lua: `State.save("global", "n", 9007199254740993) State.save("global", "nan", 0/0) return {State.compare_and_set("global", "n", "9007199254740993", 0), State.compare_and_set("global", "n", 9007199254740993, 0), State.compare_and_set("global", "nan", -(0/0), 0)}`,
    js: `State.save("global", "n", 9007199254740993n); State.save("global", "nan", NaN); [State.compare_and_set("global", "n", "9007199254740993", 0), State.compare_and_set("global", "n", 9007199254740993n, 0), State.compare_and_set("global", "nan", -NaN, 0)]`,
    expect: [false, true, true],
  },
  {
    name: 'compares and sets',
    lua: `return {State.compare_and_set("global", "k", nil, {a = 1}), State.compare_and_set("global", "k", {a = 2}, 0), State.compare_and_set("global", "k", {a = 1}, 5), State.load("global", "k")}`,
    js: `[State.compare_and_set("global", "k", null, {a: 1}), State.compare_and_set("global", "k", {a: 2}, 0), State.compare_and_set("global", "k", {a: 1}, 5), State.load("global", "k")]`,
    expect: [true, false, true, 5],
  },
  {
    name: 'keeps a null that is given',
    lua: `State.save("global", "a", nil) return {State.exists("global", "a"), State.load("global", "a") == nil, State.compare_and_set("global", "b", nil, nil), State.exists("global", "b")}`,
    js: `State.save("global", "a", null); [State.exists("global", "a"), State.load("global", "a") === null, State.compare_and_set("global", "b", null, null), State.exists("global", "b")]`,
    expect: [true, true, true, true],
  },
  {
    name: 'increments',
    lua: `return {State.increment("global", "n"), State.increment("global", "n", 4), State.increment("global", "n", -2)}`,
    js: `[State.increment("global", "n"), State.increment("global", "n", 4), State.increment("global", "n", -2)]`,
    expect: [1, 5, 3],
  },
  {
    name: 'refuses to increment what is no number',
    lua: `State.save("global", "n", "x") State.increment("global", "n")`,
    js: `State.save("global", "n", "x"); State.increment("global", "n")`,
    expect_error: { code: 'BAD_ARGUMENT', message: 'State.increment: global/n holds no number' },
  },
  {
    name: 'a transaction saves all',
    lua: `local sum = State.transaction(function() State.save("global", "a", 1) State.save("global", "b", 2) return State.load("global", "a") + State.load("global", "b") end) return {sum, State.list_keys("global")}`,
    js: `const sum = State.transaction(() => { State.save("global", "a", 1); State.save("global", "b", 2); return State.load("global", "a") + State.load("global", "b") }); [sum, State.list_keys("global")]`,
    expect: [3, ['a', 'b']],
  },
  {
    name: 'or nothing, and the error comes out unchanged',
    lua: `local mine = {} local ok, e = pcall(State.transaction, function() State.save("global", "a", 1) error(mine) end) return {ok, e == mine, State.exists("global", "a")}`,
    js: `const mine = {}; let same; try { State.transaction(() => { State.save("global", "a", 1); throw mine }) } catch (e) { same = e === mine } [false, same, State.exists("global", "a")]`,
    expect: [false, true, false],
  },
  {
    name: 'transactions see their own writes in lists',
    lua: `State.save("global", "a", 1) State.save("global", "b", 1) return State.transaction(function() State.delete("global", "a") State.save("global", "c", 1) return State.list_keys("global") end)`,
    js: `State.save("global", "a", 1); State.save("global", "b", 1); State.transaction(() => { State.delete("global", "a"); State.save("global", "c", 1); return State.list_keys("global") })`,
    expect: ['b', 'c'],
  },
  {
    name: 'nested transactions join',
    lua: `pcall(State.transaction, function() State.transaction(function() State.save("global", "a", 1) end) error("undo") end) return State.exists("global", "a")`,
    js: `try { State.transaction(() => { State.transaction(() => { State.save("global", "a", 1) }); throw new Error("undo") }) } catch {} State.exists("global", "a")`,
    expect: false,
  },
  {
    name: 'only State, JSON, Logger and pure calls inside',
    lua: `State.transaction(function() Event.emit("x", 1) end)`,
    js: `State.transaction(() => { Event.emit("x", 1) })`,
    expect_error: {
      code: 'NOT_IN_TRANSACTION',
      message: 'Event.emit: may not be called inside State.update or State.transaction; only State, JSON, Logger and pure calls may',
    },
  },
  {
    name: 'hooks of transactions: before in it, after once it has held',
    lua: `local seen = {} Hook.register("state:*", function(ctx) seen[#seen + 1] = ctx.point end) State.transaction(function() State.save("global", "a", 1) State.save("global", "b", 1) end) return seen`,
    js: `const seen = []; Hook.register("state:*", ctx => { seen.push(ctx.point) }); State.transaction(() => { State.save("global", "a", 1); State.save("global", "b", 1) }); seen`,
    expect: ['state:before_save', 'state:before_save', 'state:after_save', 'state:after_save'],
  },
  {
    name: 'a hook may change what is saved',
    lua: `Hook.register("state:before_save", function(ctx) return {input = {scope = ctx.input.scope, key = ctx.input.key, value = ctx.input.value * 2}} end) State.save("global", "n", 21) return State.load("global", "n")`,
    js: `Hook.register("state:before_save", ctx => ({input: {...ctx.input, value: ctx.input.value * 2}})); State.save("global", "n", 21); State.load("global", "n")`,
    expect: 42,
  },
  {
    name: 'migrates as in the seed',
    lua: `State.save("global", "u", {old_field = "x"}) State.migrate({from_version = 1, to_version = 2, transformations = {{field = "old_field", transform = "copy", to = "new_field"}, {field = "version", transform = "default", value = 2}}}) return {State.load("global", "u"), State.get_schema_version()}`,
    js: `State.save("global", "u", {old_field: "x"}); State.migrate({from_version: 1, to_version: 2, transformations: [{field: "old_field", transform: "copy", to: "new_field"}, {field: "version", transform: "default", value: 2}]}); [State.load("global", "u"), State.get_schema_version()]`,
    expect: [{ old_field: 'x', new_field: 'x', version: 2 }, 2],
  },
  {
    name: 'migrates with every transform',
    lua: `State.save("user:a", "u", {first = "Ada", last = "Lovelace", n = "7", gone = 1, old = 2, deep = {x = 1}, csv = "a,b,c"}) local r = State.migrate({scope = "user:a", from_version = 1, to_version = 3, transformations = {{field = "old", transform = "rename", to = "new"}, {field = "deep.x", transform = "move", to = "y"}, {field = "gone", transform = "remove"}, {field = "n", transform = "convert", from = "string", to = "integer"}, {field = "name", transform = "merge", fields = {"first", "last"}}, {field = "csv", transform = "split", separator = ",", to = {"c1", "c2"}}, {field = "state", transform = "set", value = "ok"}, {field = "n", transform = "custom", fn = function(n) return n * 6 end}}}) return {State.load("user:a", "u"), r.migrated, r.failed}`,
    js: `State.save("user:a", "u", {first: "Ada", last: "Lovelace", n: "7", gone: 1, old: 2, deep: {x: 1}, csv: "a,b,c"}); const r = State.migrate({scope: "user:a", from_version: 1, to_version: 3, transformations: [{field: "old", transform: "rename", to: "new"}, {field: "deep.x", transform: "move", to: "y"}, {field: "gone", transform: "remove"}, {field: "n", transform: "convert", from: "string", to: "integer"}, {field: "name", transform: "merge", fields: ["first", "last"]}, {field: "csv", transform: "split", separator: ",", to: ["c1", "c2"]}, {field: "state", transform: "set", value: "ok"}, {field: "n", transform: "custom", fn: n => n * 6}]}); [State.load("user:a", "u"), r.migrated, r.failed]`,
    expect: [{ first: 'Ada', last: 'Lovelace', name: 'Ada Lovelace', n: 42, deep: {}, y: 1, new: 2, csv: 'a,b,c', c1: 'a', c2: 'b,c', state: 'ok' }, 1, 0],
  },
  {
    name: 'a value that fails undoes the migration',
    lua: `State.save("global", "a", {n = "1"}) State.save("global", "b", {n = "x"}) local ok, e = pcall(State.migrate, {from_version = 1, to_version = 2, transformations = {{field = "n", transform = "convert", to = "number"}}}) return {ok, e.message, State.load("global", "a"), State.get_schema_version()}`,
    js: `State.save("global", "a", {n: "1"}); State.save("global", "b", {n: "x"}); let m; try { State.migrate({from_version: 1, to_version: 2, transformations: [{field: "n", transform: "convert", to: "number"}]}) } catch (e) { m = e.message } [false, m, State.load("global", "a"), State.get_schema_version()]`,
    expect: [false, 'State.migrate: b: n: "x" cannot be converted to number; nothing was migrated', { n: '1' }, 1],
  },
  {
    name: 'refuses another version',
    lua: `State.migrate({from_version = 4, to_version = 5})`,
    js: `State.migrate({from_version: 4, to_version: 5})`,
    expect_error: { code: 'CONFLICT', message: 'State.migrate: from_version: the scope global has version 1, not 4' },
  },
  {
    name: 'backs up and restores, and the restore can be undone',
    lua: `State.save("global", "a", 1) local id = State.backup({description = "first"}) State.save("global", "a", 2) State.save("global", "b", 3) local undo = State.restore(id) local now = {State.load("global", "a"), State.exists("global", "b")} State.restore(undo) return {now, State.load("global", "a"), #State.list_backups(), State.validate_backup(id), State.list_backups()[3].description}`,
    js: `State.save("global", "a", 1); const id = State.backup({description: "first"}); State.save("global", "a", 2); State.save("global", "b", 3); const undo = State.restore(id); const now = [State.load("global", "a"), State.exists("global", "b")]; State.restore(undo); [now, State.load("global", "a"), State.list_backups().length, State.validate_backup(id), State.list_backups()[2].description]`,
    expect: [[1, false], 2, 3, true, expect_any()],
  },
  {
    name: 'refuses an unknown backup',
    lua: `State.restore("bak_x")`,
    js: `State.restore("bak_x")`,
    expect_error: { code: 'NOT_FOUND', message: 'State.restore: there is no backup "bak_x"' },
  },
  {
    name: 'needs state:admin',
    lua: `State.clear("global")`,
    js: `State.clear("global")`,
    grants: { capabilities: new Set() },
    expect_error: { code: 'NOT_ALLOWED', message: 'State.clear: needs the grant state:admin (to backup, restore, migrate and clear State)' },
  },
  {
    name: 'needs it to back up, restore and migrate as well, and for nothing else',
    lua: `local codes = {} for i, f in ipairs({function() State.backup() end, function() State.restore("x") end, function() State.migrate({from_version = 1, to_version = 2}) end, function() State.delete_backup("x") end, function() State.save("global", "k", 1) State.list_backups() State.get_schema_version() State.get_storage_usage() State.delete("global", "k") end}) do local ok, e = pcall(f) codes[i] = ok or e.code end return codes`,
    js: `const codes = []; for (const f of [() => State.backup(), () => State.restore("x"), () => State.migrate({from_version: 1, to_version: 2}), () => State.delete_backup("x"), () => { State.save("global", "k", 1); State.list_backups(); State.get_schema_version(); State.get_storage_usage(); State.delete("global", "k") }]) try { f(); codes.push(true) } catch (e) { codes.push(e.code) } codes`,
    grants: { capabilities: new Set() },
    expect: ['NOT_ALLOWED', 'NOT_ALLOWED', 'NOT_ALLOWED', 'NOT_ALLOWED', true],
  },
  {
    name: 'a value that was backed up expires when it would have, also when it is restored',
    lua: `State.save("global", "short", 1, {ttl_ms = 200}) State.save("global", "long", 1, {ttl_ms = 1e9}) local id = State.backup() State.save("global", "short", 2) State.save("global", "more", 3) sleep(220) State.restore(id) return State.list_keys("global")`,
    js: `State.save("global", "short", 1, {ttl_ms: 200}); State.save("global", "long", 1, {ttl_ms: 1e9}); const id = State.backup(); State.save("global", "short", 2); State.save("global", "more", 3); sleep(220); State.restore(id); State.list_keys("global")`,
    expect: ['long'],
  },
  {
    name: 'refuses hostile scopes',
    lua: `State.save("agent:../../etc", "k", 1)`,
    js: `State.save("agent:../../etc", "k", 1)`,
    expect_error: { code: 'BAD_ARGUMENT', message: /^State\.save: scope: expected "global" or kind:id .* got "agent:\.\.\/\.\.\/etc"$/ },
  },
  {
    name: 'names the parameter',
    lua: `State.save(nil, "k", 1)`,
    js: `State.save(null, "k", 1)`,
    expect_error: { code: 'BAD_ARGUMENT', message: /^State\.save: scope: expected a string, got (?:nil|null)$/ },
  },
  {
    name: 'refuses functions',
    lua: `State.save("global", "k", {f = print})`,
    js: `State.save("global", "k", {f: () => 1})`,
    expect_error: { code: 'BAD_ARGUMENT', message: 'State.save: value.f: expected data that can be stored, got a function' },
  },
  {
    name: 'knows its size',
    lua: `State.save("global", "k", "12345") local u = State.get_storage_usage() return {u.entries, u.scopes, u.bytes > 5, State.list_scopes()}`,
    js: `State.save("global", "k", "12345"); const u = State.get_storage_usage(); [u.entries, u.scopes, u.bytes > 5, State.list_scopes()]`,
    expect: [1, 1, true, ['global']],
  },
  {
    name: 'increment and update keep the time to live, save ends it',
    lua: `for _, k in ipairs({"a", "b", "c"}) do State.save("global", k, 1, {ttl_ms = 800}) end State.increment("global", "a") State.update("global", "b", function(n) return n + 1 end) State.save("global", "c", 2) sleep(820) return State.list_keys("global")`,
    js: `for (const k of ["a", "b", "c"]) State.save("global", k, 1, {ttl_ms: 800}); State.increment("global", "a"); State.update("global", "b", n => n + 1); State.save("global", "c", 2); sleep(820); State.list_keys("global")`,
    expect: ['c'],
  },
  {
    name: 'refuses a sum that no double holds',
    lua: `State.save("global", "n", math.maxinteger) State.increment("global", "n")`,
    js: `State.save("global", "n", 9223372036854775807n); State.increment("global", "n")`,
    expect_error: { code: 'BAD_ARGUMENT', message: 'State.increment: global/n: the sum is beyond ±2^53' },
  },
  {
    name: 'every kind of scope holds values of its own',
    lua: `local all = {"global", "agent:a", "workflow:a", "session:a", "tenant:a", "user:a", "tool:a", "hook:a", "custom:a"} for i, s in ipairs(all) do State.save(s, "k", i) end local got = {} for i, s in ipairs(all) do got[i] = State.load(s, "k") end return {got, #State.list_scopes(), State.clear("user:a"), State.load("user:a", "k") == nil, State.load("tool:a", "k")}`,
    js: `const all = ["global", "agent:a", "workflow:a", "session:a", "tenant:a", "user:a", "tool:a", "hook:a", "custom:a"]; all.forEach((s, i) => State.save(s, "k", i + 1)); [all.map(s => State.load(s, "k")), State.list_scopes().length, State.clear("user:a"), State.load("user:a", "k") === null, State.load("tool:a", "k")]`,
    grants: { tenants: ['a'] },
    // The scope of another tenant lies there.
    expect: [[1, 2, 3, 4, 5, 6, 7, 8, 9], 8, 1, true, 7],
  },
  {
    name: 'nothing else inside: neither calls nor waits nor what concerns the whole store',
    lua: `local out = {} for i, f in ipairs({function() sleep(1) end, function() parallel({print}) end, function() Tool.execute("uuid") end, function() Event.emit("a") end, function() Hook.register("custom:a", print) end, function() Session.current_id() end, function() State.backup() end, function() State.restore("x") end, function() State.clear("global") end, function() State.migrate({from_version = 1, to_version = 2}) end, function() JSON.stringify({}) Logger.info("x") Hook.list_points() State.list_keys("global") end}) do local ok, e = pcall(State.transaction, f) out[i] = ok or e.code end return out`,
    js: `const out = []; for (const f of [() => sleep(1), () => parallel([print]), () => Tool.execute("uuid"), () => Event.emit("a"), () => Hook.register("custom:a", print), () => Session.current_id(), () => State.backup(), () => State.restore("x"), () => State.clear("global"), () => State.migrate({from_version: 1, to_version: 2}), () => { JSON.stringify({}); Logger.info("x"); Hook.list_points(); State.list_keys("global") }]) try { State.transaction(() => { f() }); out.push(true) } catch (e) { out.push(e.code) } out`,
    expect: [...Array(10).fill('NOT_IN_TRANSACTION'), true],
  },
  {
    name: 'backups carry their description, are listed newest first, checked and deleted',
    lua: `State.save("global", "a", 1) local one = State.backup({description = "one"}) sleep(2) local two = State.backup() local list = State.list_backups() return {list[1].id == two, list[2].id == one, list[2].description, list[2].entries, list[2].size_bytes > 0, State.validate_backup(one), State.delete_backup(one), State.delete_backup(one), #State.list_backups()}`,
    js: `State.save("global", "a", 1); const one = State.backup({description: "one"}); sleep(2); const two = State.backup(); const list = State.list_backups(); [list[0].id === two, list[1].id === one, list[1].description, list[1].entries, list[1].size_bytes > 0, State.validate_backup(one), State.delete_backup(one), State.delete_backup(one), State.list_backups().length]`,
    expect: [true, true, 'one', 1, true, true, true, false, 1],
  },
  {
    name: 'a restore brings back time to live and schema versions',
    lua: `State.save("global", "a", {x = 1}, {ttl_ms = 1e9}) State.migrate({from_version = 1, to_version = 3}) local id = State.backup() State.migrate({from_version = 3, to_version = 4}) State.clear("global") State.restore(id) return {State.get_schema_version(), State.load("global", "a").x}`,
    js: `State.save("global", "a", {x: 1}, {ttl_ms: 1e9}); State.migrate({from_version: 1, to_version: 3}); const id = State.backup(); State.migrate({from_version: 3, to_version: 4}); State.clear("global"); State.restore(id); [State.get_schema_version(), State.load("global", "a").x]`,
    expect: [3, 1],
  },
  {
    name: 'a dry run of a migration changes nothing',
    lua: `State.save("global", "a", {x = 1}) State.save("global", "b", 5) local r = State.migrate({from_version = 1, to_version = 2, dry_run = true, transformations = {{field = "x", transform = "remove"}}}) return {r.migrated, r.skipped, State.load("global", "a").x, State.get_schema_version()}`,
    js: `State.save("global", "a", {x: 1}); State.save("global", "b", 5); const r = State.migrate({from_version: 1, to_version: 2, dry_run: true, transformations: [{field: "x", transform: "remove"}]}); [r.migrated, r.skipped, State.load("global", "a").x, State.get_schema_version()]`,
    expect: [1, 1, 1, 1],
  },
  {
    name: 'converts integers without rounding them',
    lua: `local out = {} for i, v in ipairs({9007199254740993, "9007199254740993", " 12 "}) do for _, to in ipairs({"integer", "number", "string", "boolean"}) do local scope = "custom:" .. to .. i State.save(scope, "k", {n = v}) local ok, e = pcall(State.migrate, {scope = scope, from_version = 1, to_version = 2, transformations = {{field = "n", transform = "convert", to = to}}}) out[#out + 1] = ok and tostring(State.load(scope, "k").n) or e.message end end return out`,
    js: `const out = []; [9007199254740993n, "9007199254740993", " 12 "].forEach((v, i) => { for (const to of ["integer", "number", "string", "boolean"]) { const scope = "custom:" + to + (i + 1); State.save(scope, "k", {n: v}); try { State.migrate({scope, from_version: 1, to_version: 2, transformations: [{field: "n", transform: "convert", to}]}); out.push(String(State.load(scope, "k").n)) } catch (e) { out.push(e.message) } } }); out`,
    expect: [
      ...['9007199254740993', '9007199254740993', '9007199254740993', 'true'],
      ...[
        '9007199254740993',
        '9007199254740993',
        '9007199254740993',
        'State.migrate: k: n: "9007199254740993" cannot be converted to boolean; nothing was migrated',
      ],
      ...['12', '12', ' 12 ', 'State.migrate: k: n: " 12 " cannot be converted to boolean; nothing was migrated'],
    ],
  },
  {
    name: 'merges and converts what holds large integers and bytes',
    lua: `State.save("global", "k", {a = {9007199254740993}, b = "\\xff"}) State.migrate({from_version = 1, to_version = 2, transformations = {{field = "m", transform = "merge", fields = {"a", "b"}, separator = "|"}}}) local ok, e = pcall(State.migrate, {from_version = 2, to_version = 3, transformations = {{field = "a", transform = "convert", to = "integer"}}}) return {State.load("global", "k").m, e.message}`,
    js: `State.save("global", "k", {a: [9007199254740993n], b: new Uint8Array([255])}); State.migrate({from_version: 1, to_version: 2, transformations: [{field: "m", transform: "merge", fields: ["a", "b"], separator: "|"}]}); let message; try { State.migrate({from_version: 2, to_version: 3, transformations: [{field: "a", transform: "convert", to: "integer"}]}) } catch (e) { message = e.message } [State.load("global", "k").m, message]`,
    expect: ['[9007199254740993]|{"$bytes":"/w=="}', 'State.migrate: k: a: [9007199254740993] cannot be converted to integer; nothing was migrated'],
  },
  {
    name: "a migration's own function that gives nothing removes the field, or leaves it out",
    lua: `State.save("global", "k", {a = 1, deep = {b = 2}, kept = 3}) State.migrate({from_version = 1, to_version = 2, transformations = {{field = "a", transform = "custom", fn = function() end}, {field = "deep.b", transform = "custom", fn = function() return nil end}, {field = "new.part", transform = "custom", fn = print}}}) return State.load("global", "k")`,
    js: `State.save("global", "k", {a: 1, deep: {b: 2}, kept: 3}); State.migrate({from_version: 1, to_version: 2, transformations: [{field: "a", transform: "custom", fn: () => {}}, {field: "deep.b", transform: "custom", fn: () => null}, {field: "new.part", transform: "custom", fn: print}]}); State.load("global", "k")`,
    expect: { deep: {}, kept: 3 },
  },
  {
    name: 'a value that comes while a migration runs undoes it',
    lua: `State.save("global", "a", {n = 1}) local ok, e = pcall(State.migrate, {from_version = 1, to_version = 2, transformations = {{field = "n", transform = "custom", fn = function(n) State.save("global", "b", {n = 1}) return n + 1 end}}}) return {e.code, State.load("global", "a").n, State.get_schema_version()}`,
    js: `State.save("global", "a", {n: 1}); let code; try { State.migrate({from_version: 1, to_version: 2, transformations: [{field: "n", transform: "custom", fn: n => { State.save("global", "b", {n: 1}); return n + 1 }}]}) } catch (e) { code = e.code } [code, State.load("global", "a").n, State.get_schema_version()]`,
    expect: ['CONFLICT', 1, 1],
  },
  {
    name: 'a value that takes more than a megabyte is refused, by whatever saves it, and nothing is changed',
    lua: `State.save("global", "k", 1) local m = {} for i, f in ipairs({function(v) State.save("global", "k", v) end, function(v) State.update("global", "k", function() return v end) end, function(v) State.compare_and_set("global", "k", 1, v) end, function(v) State.transaction(function() State.save("global", "k", v) end) end}) do local ok, e = pcall(f, ("x"):rep(1100000)) m[i] = e.code end m[5] = State.load("global", "k") return m`,
    js: `State.save("global", "k", 1); const m = [v => State.save("global", "k", v), v => State.update("global", "k", () => v), v => State.compare_and_set("global", "k", 1, v), v => State.transaction(() => State.save("global", "k", v))].map(f => { try { f("x".repeat(1100000)) } catch (e) { return e.code } }); [...m, State.load("global", "k")]`,
    expect: ['LIMIT_EXCEEDED', 'LIMIT_EXCEEDED', 'LIMIT_EXCEEDED', 'LIMIT_EXCEEDED', 1],
  },
  {
    name: 'a transaction that would keep more than 32 MB is refused, and nothing of it is saved',
    lua: `local x = ("x"):rep(1000000) local ok, e = pcall(State.transaction, function() for i = 1, 40 do State.save("global", "k" .. i, x) end end) return {e.code, e.message, #State.list_keys("global")}`,
    js: `const x = "x".repeat(1000000); let e; try { State.transaction(() => { for (let i = 1; i <= 40; i++) State.save("global", "k" + i, x) }) } catch (error) { e = error } [e.code, e.message, State.list_keys("global").length]`,
    expect: ['LIMIT_EXCEEDED', 'State.transaction: fn: what it reads and saves would take more than 32 MB together; make several transactions of it', 0],
    at_once: true,
  },
  {
    name: 'what it reads counts too, and a call that is refused for that may be caught inside: the rest is saved',
    lua: `State.save("user:a", "x", ("x"):rep(1000000)) local read = State.transaction(function() State.save("global", "k", 1) for i = 1, 40 do if not pcall(State.load, "user:a", "x") then return i - 1 end end end) return {read, State.load("global", "k")}`,
    js: `State.save("user:a", "x", "x".repeat(1000000)); const read = State.transaction(() => { State.save("global", "k", 1); for (let i = 1; i <= 40; i++) { try { State.load("user:a", "x") } catch { return i - 1 } } }); [read, State.load("global", "k")]`,
    expect: [33, 1],
    at_once: true,
  },
  {
    name: 'hooks behind a transaction get what was saved, loaded and deleted',
    lua: `State.save("global", "a", {n = 1}) local seen = {} Hook.register("state:after_*", function(ctx) seen[#seen + 1] = {ctx.point, ctx.key, ctx.input.value or "none", ctx.output == nil and "nil" or ctx.output} end) State.transaction(function() State.load("global", "a") State.save("global", "b", {m = 2}) State.delete("global", "a") State.delete("global", "none") State.load("global", "none") end) return seen`,
    js: `State.save("global", "a", {n: 1}); const seen = []; Hook.register("state:after_*", ctx => { seen.push([ctx.point, ctx.key, ctx.input.value ?? "none", ctx.output ?? "nil"]) }); State.transaction(() => { State.load("global", "a"); State.save("global", "b", {m: 2}); State.delete("global", "a"); State.delete("global", "none"); State.load("global", "none") }); seen`,
    expect: [
      ['state:after_load', 'a', 'none', { n: 1 }],
      ['state:after_save', 'b', { m: 2 }, 'nil'],
      ['state:after_delete', 'a', 'none', true],
      ['state:after_delete', 'none', 'none', false],
      ['state:after_load', 'none', 'none', 'nil'],
    ],
  },
  {
    name: 'a time to live may have a fraction',
    lua: `State.save("global", "k", 1, {ttl_ms = 100000.5}) return State.load("global", "k")`,
    js: `State.save("global", "k", 1, {ttl_ms: 100000.5}); State.load("global", "k")`,
    expect: 1,
  },
  {
    name: 'a migration that makes a value larger than a megabyte is undone',
    lua: `State.save("global", "k", {x = ("x"):rep(600000)}) local ok, e = pcall(State.migrate, {from_version = 1, to_version = 2, transformations = {{field = "x", transform = "copy", to = "y"}}}) return {e.code, e.message, State.load("global", "k").y == nil}`,
    js: `State.save("global", "k", {x: "x".repeat(600000)}); let e; try { State.migrate({from_version: 1, to_version: 2, transformations: [{field: "x", transform: "copy", to: "y"}]}) } catch (error) { e = error } [e.code, e.message, State.load("global", "k").y === undefined]`,
    expect: ['LIMIT_EXCEEDED', 'State.migrate: k: would take more than 1 MB; nothing was migrated', true],
  },
  {
    name: 'long keys of maps come back',
    lua: `local key = ("k"):rep(70000) State.save("global", "k", {[key] = ("v"):rep(70000), [key .. "2"] = "short"}) local v = State.load("global", "k") return {#v[key], v[key .. "2"]}`,
    js: `const key = "k".repeat(70000); State.save("global", "k", {[key]: "v".repeat(70000), [key + "2"]: "short"}); const v = State.load("global", "k"); [v[key].length, v[key + "2"]]`,
    expect: [70_000, 'short'],
  },
];

function expect_any(): unknown {
  return { asymmetricMatch: (value: unknown) => typeof value === 'string' };
}
