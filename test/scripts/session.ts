import type { Case } from '../conformance/case.ts';

/** Sessions. */
export const cases: readonly Case[] = [
  {
    name: 'creates and gets',
    lua: `local id = Session.create({name = "n", description = "d", tags = {"a", "b", "a"}, metadata = {x = {1, 2}}}) local s = Session.get(id) return {s.id == id, s.name, s.description, s.status, s.tags, s.metadata, s.turns, s.created_at == s.updated_at, s.expires_at == nil}`,
    js: `const id = Session.create({name: "n", description: "d", tags: ["a", "b", "a"], metadata: {x: [1, 2]}}); const s = Session.get(id); [s.id === id, s.name, s.description, s.status, s.tags, s.metadata, s.turns, s.created_at === s.updated_at, s.expires_at === undefined]`,
    expect: [true, 'n', 'd', 'active', ['a', 'b'], { x: [1, 2] }, 0, true, true],
  },
  { name: 'gives nil for what is absent', lua: `return Session.get("none")`, js: `Session.get("none")`, expect: null },
  {
    name: 'has one current session per run, made when asked for',
    lua: `local before = #Session.list() local id = Session.current_id() return {before, Session.current_id() == id, #Session.list(), Session.get(id).status}`,
    js: `const before = Session.list().length; const id = Session.current_id(); [before, Session.current_id() === id, Session.list().length, Session.get(id).status]`,
    expect: [0, true, 1, 'active'],
  },
  {
    name: 'makes one current session however many ask at once',
    lua: `local ids = parallel({1, 2, 3, 4}, function() return Session.current_id() end) return {ids[1] == ids[2] and ids[2] == ids[3] and ids[3] == ids[4], #Session.list()}`,
    js: `const ids = parallel([1, 2, 3, 4], () => Session.current_id()); [new Set(ids).size === 1, Session.list().length]`,
    expect: [true, 1],
  },
  {
    name: 'changes the current session',
    lua: `local a = Session.current_id() local b = Session.create() Session.set_current(b) return {Session.current_id() == b, a ~= b}`,
    js: `const a = Session.current_id(); const b = Session.create(); Session.set_current(b); [Session.current_id() === b, a !== b]`,
    expect: [true, true],
  },
  {
    name: 'makes another current session when the first was deleted',
    lua: `local a = Session.current_id() Session.delete(a) local b = Session.current_id() return {a ~= b, Session.get(b).status}`,
    js: `const a = Session.current_id(); Session.delete(a); const b = Session.current_id(); [a !== b, Session.get(b).status]`,
    expect: [true, 'active'],
  },
  {
    name: 'refuses an unknown current session',
    lua: `Session.set_current("none")`,
    js: `Session.set_current("none")`,
    expect_error: { code: 'NOT_FOUND', message: 'Session.set_current: there is no session none' },
  },
  {
    name: 'lists newest first, by status, tags and limit',
    lua: `local a = Session.create({name = "a", tags = {"x"}}) local b = Session.create({name = "b", tags = {"x", "y"}}) local c = Session.create({name = "c"}) Session.suspend(b) Session.complete(c) local function names(f) local r = JSON.array({}) for i, s in ipairs(Session.list(f)) do r[i] = s.name end return r end return {names(), names({status = "active"}), names({status = "suspended"}), names({tags = {"x"}}), names({tags = {"y", "x"}}), names({tags = {"z"}}), names({limit = 2})}`,
    js: `const a = Session.create({name: "a", tags: ["x"]}); const b = Session.create({name: "b", tags: ["x", "y"]}); const c = Session.create({name: "c"}); Session.suspend(b); Session.complete(c); const names = f => Session.list(f).map(s => s.name); [names(), names({status: "active"}), names({status: "suspended"}), names({tags: ["x"]}), names({tags: ["y", "x"]}), names({tags: ["z"]}), names({limit: 2})]`,
    expect: [['c', 'b', 'a'], ['a'], ['b'], ['b', 'a'], ['b'], [], ['c', 'b']],
  },
  {
    name: 'adds turns in order and gives the last',
    lua: `local id = Session.create() local n = {} for i = 1, 5 do n[i] = Session.add_turn(id, {role = i % 2 == 1 and "user" or "assistant", content = "t" .. i}) end local function of(o) local r = JSON.array({}) for i, t in ipairs(Session.get_turns(id, o)) do r[i] = t.number .. t.role .. t.content end return r end return {n, of(), of({last = 2}), of({after = 3}), of({after = 1, limit = 2}), of({last = 0}), Session.get(id).turns}`,
    js: `const id = Session.create(); const n = []; for (let i = 1; i <= 5; i++) n.push(Session.add_turn(id, {role: i % 2 === 1 ? "user" : "assistant", content: "t" + i})); const of = o => Session.get_turns(id, o).map(t => t.number + t.role + t.content); [n, of(), of({last: 2}), of({after: 3}), of({after: 1, limit: 2}), of({last: 0}), Session.get(id).turns]`,
    expect: [
      [1, 2, 3, 4, 5],
      ['1usert1', '2assistantt2', '3usert3', '4assistantt4', '5usert5'],
      ['4assistantt4', '5usert5'],
      ['4assistantt4', '5usert5'],
      ['2assistantt2', '3usert3'],
      [],
      5,
    ],
  },
  {
    name: 'keeps every field of a turn, and data as content',
    lua: `local id = Session.create() Session.add_turn(id, {role = "tool", content = {a = {1, JSON.null}}, name = "calculator", tool_call_id = "c1", is_error = true, metadata = {k = "v"}}) local t = Session.get_turns(id)[1] return {t.content, t.name, t.tool_call_id, t.is_error, t.metadata, t.created_at > 0}`,
    js: `const id = Session.create(); Session.add_turn(id, {role: "tool", content: {a: [1, null]}, name: "calculator", tool_call_id: "c1", is_error: true, metadata: {k: "v"}}); const t = Session.get_turns(id)[0]; [t.content, t.name, t.tool_call_id, t.is_error, t.metadata, t.created_at > 0]`,
    expect: [{ a: [1, null] }, 'calculator', 'c1', true, { k: 'v' }, true],
  },
  {
    name: 'refuses a role that is none',
    lua: `Session.add_turn(Session.create(), {role = "robot", content = "x"})`,
    js: `Session.add_turn(Session.create(), {role: "robot", content: "x"})`,
    expect_error: { code: 'BAD_ARGUMENT', message: 'Session.add_turn: turn.role: expected one of "system", "user", "assistant" or "tool", got "robot"' },
  },
  {
    name: 'refuses an unknown field of a turn',
    lua: `Session.add_turn(Session.create(), {role = "user", text = "x"})`,
    js: `Session.add_turn(Session.create(), {role: "user", text: "x"})`,
    expect_error: { code: 'BAD_ARGUMENT', message: /^Session\.add_turn: turn.*text/ },
  },
  ...(
    [
      ['add_turn', `Session.add_turn("none", {role = "user", content = "x"})`, `Session.add_turn("none", {role: "user", content: "x"})`],
      ['get_turns', `Session.get_turns("none")`, `Session.get_turns("none")`],
      ['set_value', `Session.set_value("none", "k", 1)`, `Session.set_value("none", "k", 1)`],
      ['get_value', `Session.get_value("none", "k")`, `Session.get_value("none", "k")`],
      ['suspend', `Session.suspend("none")`, `Session.suspend("none")`],
      ['resume', `Session.resume("none")`, `Session.resume("none")`],
      ['complete', `Session.complete("none")`, `Session.complete("none")`],
      ['save', `Session.save("none")`, `Session.save("none")`],
      ['load', `Session.load("none")`, `Session.load("none")`],
      ['fork', `Session.fork("none")`, `Session.fork("none")`],
      ['export', `Session.export("none")`, `Session.export("none")`],
    ] as const
  ).map(([method, lua, js]) => ({
    name: `${method} of an unknown session`,
    lua,
    js,
    expect_error: { code: 'NOT_FOUND', message: `Session.${method}: there is no session none` },
  })),
  ...(
    [
      ['get', `Session.get("../x")`],
      ['delete', `Session.delete("../x")`],
      ['set_current', `Session.set_current("../x")`],
      ['get_turns', `Session.get_turns("../x")`],
      ['suspend', `Session.suspend("../x")`],
      ['save', `Session.save("../x")`],
      ['load', `Session.load("../x")`],
      ['fork', `Session.fork("../x")`],
      ['export', `Session.export("../x")`],
      ['get_value', `Session.get_value("../x", "k")`],
      ['set_value', `Session.set_value("../x", "k", 1)`],
    ] as const
  ).map(([method, call]) => ({
    name: `${method} refuses a hostile id`,
    lua: call,
    js: call,
    expect_error: { code: 'BAD_ARGUMENT', message: `Session.${method}: id: expected 1 to 128 of A-Za-z0-9_.-, got "../x"` },
  })),
  {
    name: 'refuses ids that are SQL, Unicode, a scope or empty',
    lua: `local r = {} for i, id in ipairs({"x' OR '1'='1", "ses_ä", "tenant:other", "", "a/b", "x\\0y", ("x"):rep(129)}) do local ok, e = pcall(Session.get, id) r[i] = ok and "ok" or e.code end return r`,
    js: `["x' OR '1'='1", "ses_ä", "tenant:other", "", "a/b", "x\\0y", "x".repeat(129)].map(id => { try { Session.get(id); return "ok" } catch (e) { return e.code } })`,
    expect: Array(7).fill('BAD_ARGUMENT'),
  },
  {
    name: 'keeps values by key',
    lua: `local id = Session.create() Session.set_value(id, "a", {1, "x", JSON.null}) Session.set_value(id, "b", false) local r = {Session.get_value(id, "a"), Session.get_value(id, "b"), Session.get_value(id, "c") == nil} Session.set_value(id, "a", nil) r[4] = Session.get_value(id, "a") == nil return r`,
    js: `const id = Session.create(); Session.set_value(id, "a", [1, "x", null]); Session.set_value(id, "b", false); const r = [Session.get_value(id, "a"), Session.get_value(id, "b"), Session.get_value(id, "c") === null]; Session.set_value(id, "a", null); r.push(Session.get_value(id, "a") === null); r`,
    expect: [[1, 'x', null], false, true, true],
  },
  {
    name: 'refuses an empty key',
    lua: `Session.set_value(Session.create(), "", 1)`,
    js: `Session.set_value(Session.create(), "", 1)`,
    expect_error: { code: 'BAD_ARGUMENT', message: 'Session.set_value: key: expected 1 to 1024 bytes of text, got 0' },
  },
  {
    name: 'moves from active to suspended and back, and to completed',
    lua: `local id = Session.create() local r = {} Session.suspend(id) r[1] = Session.get(id).status Session.resume(id) r[2] = Session.get(id).status Session.suspend(id) Session.complete(id) r[3] = Session.get(id).status return r`,
    js: `const id = Session.create(); const r = []; Session.suspend(id); r.push(Session.get(id).status); Session.resume(id); r.push(Session.get(id).status); Session.suspend(id); Session.complete(id); r.push(Session.get(id).status); r`,
    expect: ['suspended', 'active', 'completed'],
  },
  ...(
    [
      ['suspend', 'suspended', 'only an active session can be suspended', 'Session.suspend(id)', 'Session.suspend(id)'],
      ['resume', 'active', 'only a suspended session can be resumed', '', 'Session.resume(id)'],
      ['resume', 'completed', 'only a suspended session can be resumed', 'Session.complete(id)', 'Session.resume(id)'],
      ['complete', 'completed', 'only an active or suspended session can be completed', 'Session.complete(id)', 'Session.complete(id)'],
      ['set_value', 'suspended', 'Session.resume makes it active', 'Session.suspend(id)', 'Session.set_value(id, "k", 1)'],
      ['set_value', 'completed', 'Session.fork copies it into an active one', 'Session.complete(id)', 'Session.set_value(id, "k", 1)'],
    ] as const
  ).map(([method, status, how, before, call]) => ({
    name: `${method} of a session that is ${status}`,
    lua: `local id = Session.create() ${before} local ok, e = pcall(function() ${call} end) return {e.code, (e.message:gsub(id, "ID")), e.details.status}`,
    js: `const id = Session.create(); ${before}; let r; try { ${call} } catch (e) { r = [e.code, e.message.replace(id, "ID"), e.details.status] } r`,
    expect: ['CONFLICT', expect_containing(`Session.${method}: the session ID is ${status}; ${how}`), status],
  })),
  {
    name: 'add_turn of a completed session, and reading it',
    lua: `local id = Session.create() Session.add_turn(id, {role = "user", content = "x"}) Session.complete(id) local ok, e = pcall(Session.add_turn, id, {role = "user", content = "y"}) return {e.code, #Session.get_turns(id)}`,
    js: `const id = Session.create(); Session.add_turn(id, {role: "user", content: "x"}); Session.complete(id); let code; try { Session.add_turn(id, {role: "user", content: "y"}) } catch (e) { code = e.code } [code, Session.get_turns(id).length]`,
    expect: ['CONFLICT', 1],
  },
  {
    name: 'deletes with everything in it, and says whether',
    lua: `local id = Session.create() Session.add_turn(id, {role = "user", content = "x"}) Session.set_value(id, "k", 1) Artifact.store(id, "t", "n", "c") return {Session.delete(id), Session.delete(id), Session.get(id) == nil, #Artifact.query()}`,
    js: `const id = Session.create(); Session.add_turn(id, {role: "user", content: "x"}); Session.set_value(id, "k", 1); Artifact.store(id, "t", "n", "c"); [Session.delete(id), Session.delete(id), Session.get(id) === null, Artifact.query().length]`,
    expect: [true, false, true, 0],
  },
  {
    name: 'saves and loads',
    lua: `local id = Session.create() Session.save(id) local saved = Session.get(id).saved_at > 0 Session.suspend(id) local s = Session.load(id) return {saved, s.id == id, s.status, Session.current_id() == id}`,
    js: `const id = Session.create(); Session.save(id); const saved = Session.get(id).saved_at > 0; Session.suspend(id); const s = Session.load(id); [saved, s.id === id, s.status, Session.current_id() === id]`,
    expect: [true, true, 'active', true],
  },
  {
    name: 'forks turns, values and artifacts, which then part',
    lua: `local a = Session.create({name = "n", tags = {"x"}, metadata = {m = 1}}) Session.add_turn(a, {role = "user", content = "1"}) Session.set_value(a, "k", "v") Artifact.store(a, "t", "n.txt", "c") Session.complete(a) local b = Session.fork(a) Session.add_turn(b, {role = "user", content = "2"}) Session.set_value(b, "k", "w") Artifact.store(b, "t", "n.txt", "d") local s = Session.get(b) return {s.status, s.name, s.tags, s.metadata, s.forked_from == a, #Session.get_turns(a), #Session.get_turns(b), Session.get_value(a, "k"), Session.get_value(b, "k"), #Artifact.versions(a, "n.txt"), #Artifact.versions(b, "n.txt"), Artifact.list(a)[1].id ~= Artifact.versions(b, "n.txt")[1].id, Artifact.versions(b, "n.txt")[1].content_hash == Artifact.list(a)[1].content_hash}`,
    js: `const a = Session.create({name: "n", tags: ["x"], metadata: {m: 1}}); Session.add_turn(a, {role: "user", content: "1"}); Session.set_value(a, "k", "v"); Artifact.store(a, "t", "n.txt", "c"); Session.complete(a); const b = Session.fork(a); Session.add_turn(b, {role: "user", content: "2"}); Session.set_value(b, "k", "w"); Artifact.store(b, "t", "n.txt", "d"); const s = Session.get(b); [s.status, s.name, s.tags, s.metadata, s.forked_from === a, Session.get_turns(a).length, Session.get_turns(b).length, Session.get_value(a, "k"), Session.get_value(b, "k"), Artifact.versions(a, "n.txt").length, Artifact.versions(b, "n.txt").length, Artifact.list(a)[0].id !== Artifact.versions(b, "n.txt")[0].id, Artifact.versions(b, "n.txt")[0].content_hash === Artifact.list(a)[0].content_hash]`,
    expect: ['active', 'n', ['x'], { m: 1 }, true, 1, 2, 'v', 'w', 1, 2, true, true],
  },
  {
    name: 'exports everything',
    lua: `local id = Session.create({name = "n"}) Session.add_turn(id, {role = "user", content = "hi"}) Session.set_value(id, "k", 7) Artifact.store(id, "t", "a", "1") Artifact.store(id, "t", "a", "2") local e = Session.export(id) return {e.format, e.session.name, e.turns[1].content, e.values, #e.artifacts, e.artifacts[1].version}`,
    js: `const id = Session.create({name: "n"}); Session.add_turn(id, {role: "user", content: "hi"}); Session.set_value(id, "k", 7); Artifact.store(id, "t", "a", "1"); Artifact.store(id, "t", "a", "2"); const e = Session.export(id); [e.format, e.session.name, e.turns[0].content, e.values, e.artifacts.length, e.artifacts[0].version]`,
    expect: ['llmspell-session-1', 'n', 'hi', { k: 7 }, 2, 2],
  },
  {
    name: 'expires when nothing changes',
    lua: `local id = Session.create({expires_in_ms = 1}) sleep(5) return {Session.get(id) == nil, #Session.list()}`,
    js: `const id = Session.create({expires_in_ms: 1}); sleep(5); [Session.get(id) === null, Session.list().length]`,
    expect: [true, 0],
  },
  {
    name: 'expires as configured',
    lua: `local s = Session.get(Session.create()) return s.expires_at - s.created_at`,
    js: `const s = Session.get(Session.create()); s.expires_at - s.created_at`,
    config: { sessions: { expires_in_ms: 5_000 } },
    expect: 5_000,
  },
  {
    name: 'keeps to sessions.max_count',
    lua: `Session.create() Session.create() Session.create()`,
    js: `Session.create(); Session.create(); Session.create()`,
    config: { sessions: { max_count: 2 } },
    expect_error: { code: 'LIMIT_EXCEEDED', message: 'Session.create: more than sessions.max_count = 2 sessions of this tenant' },
  },
  {
    name: 'keeps to sessions.max_turns',
    lua: `local id = Session.create() for i = 1, 3 do Session.add_turn(id, {role = "user", content = i}) end`,
    js: `const id = Session.create(); for (let i = 1; i <= 3; i++) Session.add_turn(id, {role: "user", content: i})`,
    config: { sessions: { max_turns: 2 } },
    expect_error: { code: 'LIMIT_EXCEEDED', message: 'Session.add_turn: more than sessions.max_turns = 2 turns of one session' },
  },
  {
    name: 'metadata has a bound',
    lua: `Session.create({metadata = {x = ("x"):rep(70000)}})`,
    js: `Session.create({metadata: {x: "x".repeat(70000)}})`,
    expect_error: { code: 'LIMIT_EXCEEDED', message: /^Session\.create: metadata: expected at most 65536 bytes, got 700\d\d$/ },
  },
  {
    name: 'hooks of scripts see the end, saving and loading, not the start',
    lua: `local seen = {} Hook.register("session:*", function(ctx) seen[#seen + 1] = ctx.point .. " " .. tostring(ctx.session_id == ctx.input.id) end) local id = Session.create() Session.save(id) Session.load(id) Session.complete(id) Session.delete(Session.create()) return seen`,
    js: `const seen = []; Hook.register("session:*", ctx => { seen.push(ctx.point + " " + (ctx.session_id === ctx.input.id)) }); const id = Session.create(); Session.save(id); Session.load(id); Session.complete(id); Session.delete(Session.create()); seen`,
    expect: ['session:save true', 'session:restore true', 'session:end true', 'session:end true'],
  },
  {
    name: 'a hook may refuse the end of a session',
    lua: `Hook.register("session:end", function() return {continue_execution = false, reason = "not yet"} end) local id = Session.create() local ok, e = pcall(Session.complete, id) return {e.code, e.message, Session.get(id).status}`,
    js: `Hook.register("session:end", () => ({continue_execution: false, reason: "not yet"})); const id = Session.create(); let r; try { Session.complete(id) } catch (e) { r = [e.code, e.message, Session.get(id).status] } r`,
    expect: ['HOOK_REJECTED', 'Session.complete: refused by a hook at session:end: not yet', 'active'],
  },
  {
    name: 'emits what becomes of sessions',
    at_once: true,
    lua: `local seen = {} Event.subscribe("session.*", function(e) seen[#seen + 1] = e.event_type end) local id = Session.create() Session.suspend(id) Session.load(id) Session.save(id) Session.complete(id) Session.delete(id) Event.flush() return seen`,
    js: `const seen = []; Event.subscribe("session.*", e => { seen.push(e.event_type) }); const id = Session.create(); Session.suspend(id); Session.load(id); Session.save(id); Session.complete(id); Session.delete(id); Event.flush(); seen`,
    expect: ['session.started', 'session.suspended', 'session.active', 'session.restored', 'session.saved', 'session.completed', 'session.deleted'],
  },
  {
    name: 'may not be called in a transaction',
    lua: `State.transaction(function() Session.create() end)`,
    js: `State.transaction(() => { Session.create() })`,
    expect_error: { code: 'NOT_IN_TRANSACTION' },
  },
  {
    name: 'an agent continues a session and adds to it',
    lua: `local id = Session.create() Session.add_turn(id, {role = "user", content = "The sky is blue."}) Session.add_turn(id, {role = "assistant", content = "So it is."}) local a = Agent.create({model = "mock/script"}) local out = a:execute({prompt = "And grass?", session = id}).output local roles = {} for i, t in ipairs(Session.get_turns(id)) do roles[i] = t.role .. ": " .. t.content end return {out, roles, #a:get_history()}`,
    js: `const id = Session.create(); Session.add_turn(id, {role: "user", content: "The sky is blue."}); Session.add_turn(id, {role: "assistant", content: "So it is."}); const a = Agent.create({model: "mock/script"}); const out = a.execute({prompt: "And grass?", session: id}).output; [out, Session.get_turns(id).map(t => t.role + ": " + t.content), a.get_history().length]`,
    config: { models: { mock: { responses: ['Green.'] } } },
    expect: ['Green.', ['user: The sky is blue.', 'assistant: So it is.', 'user: And grass?', 'assistant: Green.'], 0],
  },
  {
    name: 'a value takes a megabyte at most',
    lua: `local id = Session.create() Session.set_value(id, "k", ("x"):rep(2^20 - 10)) local ok, e = pcall(Session.set_value, id, "k", ("x"):rep(2^20)) return {e.code, e.message, #Session.get_value(id, "k")}`,
    js: `const id = Session.create(); Session.set_value(id, "k", "x".repeat(2**20 - 10)); let e; try { Session.set_value(id, "k", "x".repeat(2**20)) } catch (x) { e = x } [e.code, e.message, Session.get_value(id, "k").length]`,
    expect: ['LIMIT_EXCEEDED', 'Session.set_value: value: takes more than 1 MB; keep large content with Artifact.store', 2 ** 20 - 10],
  },
  {
    name: 'an agent loads a session into its history',
    lua: `local id = Session.create() for i = 1, 4 do Session.add_turn(id, {role = i % 2 == 1 and "user" or "assistant", content = "t" .. i}) end local a = Agent.create({model = "mock/script"}) local n = a:load_session(id, {last = 2}) return {n, a:get_history()[1].content, a:load_session(id)}`,
    js: `const id = Session.create(); for (let i = 1; i <= 4; i++) Session.add_turn(id, {role: i % 2 === 1 ? "user" : "assistant", content: "t" + i}); const a = Agent.create({model: "mock/script"}); const n = a.load_session(id, {last: 2}); [n, a.get_history()[0].content, a.load_session(id)]`,
    expect: [2, 't3', 4],
  },
  {
    name: 'a failed execution adds nothing',
    lua: `local id = Session.create() pcall(function() Agent.execute({model = "mock/script", prompt = "x", session = id, retries = 0}) end) return Session.get(id).turns`,
    js: `const id = Session.create(); try { Agent.execute({model: "mock/script", prompt: "x", session: id, retries: 0}) } catch {} Session.get(id).turns`,
    config: { models: { mock: { responses: [] } } },
    expect: 0,
  },
  {
    name: 'an agent of several refuses a session',
    lua: `local a = Agent.create({model = "mock/script"}) Agent.create_composite({name = "team", agents = {a}, strategy = "vote"}):execute({prompt = "x", session = Session.create()})`,
    js: `const a = Agent.create({model: "mock/script"}); Agent.create_composite({name: "team", agents: [a], strategy: "vote"}).execute({prompt: "x", session: Session.create()})`,
    expect_error: { code: 'BAD_ARGUMENT', message: /session: team asks several agents, which cannot share one session/ },
  },
];

function expect_containing(text: string): unknown {
  return { asymmetricMatch: (value: unknown) => typeof value === 'string' && value.includes(text) };
}
