import { expect } from 'vitest';
import type { Case } from '../conformance/case.ts';

const calc = (expression = '1 + 1') => ({
  lua: `Tool.execute("calculator", {expression = "${expression}"})`,
  js: `Tool.execute("calculator", {expression: "${expression}"})`,
});

/** Hooks. */
export const cases: readonly Case[] = [
  {
    name: 'run by priority, then registration',
    lua: `local seen = {} for _, p in ipairs({"low", "highest", "normal", "high", "lowest", "normal"}) do Hook.register("tool:*:before_execution", function() seen[#seen + 1] = p end, p) end ${calc().lua} return seen`,
    js: `const seen = []; for (const p of ["low", "highest", "normal", "high", "lowest", "normal"]) Hook.register("tool:*:before_execution", () => { seen.push(p) }, p); ${calc().js}; seen`,
    expect: ['highest', 'high', 'normal', 'normal', 'low', 'lowest'],
  },
  {
    name: 'see what the one before changed',
    lua: `Hook.register("tool:calculator:before_execution", function(ctx) return {input = {expression = ctx.input.expression .. " + 1"}} end) Hook.register("tool:calculator:before_execution", function(ctx) return {input = {expression = "(" .. ctx.input.expression .. ") * 10"}} end) return ${calc().lua}.result`,
    js: `Hook.register("tool:calculator:before_execution", ctx => ({input: {expression: ctx.input.expression + " + 1"}})); Hook.register("tool:calculator:before_execution", ctx => ({input: {expression: "(" + ctx.input.expression + ") * 10"}})); ${calc().js}.result`,
    expect: 30,
  },
  {
    name: 'refuse with a reason, and end the chain',
    lua: `local seen = {} Hook.register("tool:*:before_execution", function() seen[#seen + 1] = 1 return {continue_execution = false, reason = "not today"} end) Hook.register("tool:*:before_execution", function() seen[#seen + 1] = 2 end) local ok, e = pcall(function() ${calc().lua} end) return {e.code, e.message, seen}`,
    js: `const seen = []; Hook.register("tool:*:before_execution", () => { seen.push(1); return {continue_execution: false, reason: "not today"} }); Hook.register("tool:*:before_execution", () => { seen.push(2) }); let e; try { ${calc().js} } catch (x) { e = x } [e.code, e.message, seen]`,
    expect: ['HOOK_REJECTED', 'calculator: refused by a hook at tool:calculator:before_execution: not today', [1]],
  },
  {
    name: 'skip with an output of their own',
    lua: `Hook.register("tool:calculator:before_execution", function() return {skip = true, output = {result = 99}} end) return ${calc().lua}.result`,
    js: `Hook.register("tool:calculator:before_execution", () => ({skip: true, output: {result: 99}})); ${calc().js}.result`,
    expect: 99,
  },
  {
    name: 'replace the output',
    lua: `Hook.register("tool:calculator:after_execution", function(ctx) return {output = {result = ctx.output.result * 100}} end) return ${calc().lua}.result`,
    js: `Hook.register("tool:calculator:after_execution", ctx => ({output: {result: ctx.output.result * 100}})); ${calc().js}.result`,
    expect: 200,
  },
  {
    name: 'ask for another attempt',
    lua: `local n = 0 Tool.register({name = "flaky", description = "x", handler = function() n = n + 1 if n < 3 then error("no") end return n end}) Hook.register("tool:flaky:error", function() return {retry = {max_attempts = 5, delay_ms = 1}} end) return Tool.execute("flaky")`,
    js: `let n = 0; Tool.register({name: "flaky", description: "x", handler: () => { n++; if (n < 3) throw new Error("no"); return n }}); Hook.register("tool:flaky:error", () => ({retry: {max_attempts: 5, delay_ms: 1}})); Tool.execute("flaky")`,
    expect: 3,
  },
  {
    name: 'ask for another attempt of what went well, with what they changed before',
    lua: `local n = 0 Tool.register({name = "counter", description = "x", handler = function(p) n = n + 1 return {n = n, p = p.a} end}) Hook.register("tool:counter:before_execution", function() return {input = {a = 7}} end) Hook.register("tool:counter:after_execution", function(ctx) if ctx.output.n < 3 then return {retry = {max_attempts = 5}} end end) local out = Tool.execute("counter", {a = 1}) return {out.n, out.p}`,
    js: `let n = 0; Tool.register({name: "counter", description: "x", handler: p => { n++; return {n, p: p.a} }}); Hook.register("tool:counter:before_execution", () => ({input: {a: 7}})); Hook.register("tool:counter:after_execution", ctx => { if (ctx.output.n < 3) return {retry: {max_attempts: 5}} }); const out = Tool.execute("counter", {a: 1}); [out.n, out.p]`,
    expect: [3, 7],
  },
  {
    name: 'ask beforehand for more attempts, and give up after the last',
    lua: `local n = 0 Tool.register({name = "never", description = "x", handler = function() n = n + 1 error("no " .. n) end}) Hook.register("tool:never:before_execution", function() return {retry = {max_attempts = 3, delay_ms = 1}} end) local ok, e = pcall(Tool.execute, "never") return {n, tostring(e):match("no %d")}`,
    js: `let n = 0, message; Tool.register({name: "never", description: "x", handler: () => { n++; throw new Error("no " + n) }}); Hook.register("tool:never:before_execution", () => ({retry: {max_attempts: 3, delay_ms: 1}})); try { Tool.execute("never") } catch (e) { message = e.message.match(/no \\d/)[0] } [n, message]`,
    expect: [3, 'no 3'],
  },
  {
    name: 'answer in place of an error',
    lua: `Hook.register("tool:calculator:error", function(ctx) return {output = {result = #ctx.error.code}} end) return ${calc('1 / 0').lua}.result`,
    js: `Hook.register("tool:calculator:error", ctx => ({output: {result: ctx.error.code.length}})); ${calc('1 / 0').js}.result`,
    expect: 'BAD_ARGUMENT'.length,
  },
  {
    name: "are checked again: an input that does not fit is the hook's failure",
    lua: `local failed Event.subscribe("hook.failed", function(e) failed = e.payload.code end) Hook.register("tool:calculator:before_execution", function() return {input = {nonsense = 1}} end) return {${calc().lua}.result, failed}`,
    js: `let failed; Event.subscribe("hook.failed", e => { failed = e.payload.code }); Hook.register("tool:calculator:before_execution", () => ({input: {nonsense: 1}})); [${calc().js}.result, failed]`,
    expect: [2, 'BAD_ARGUMENT'],
  },
  {
    name: 'that throw are reported and do not stop the operation',
    lua: `local failed Event.subscribe("hook.failed", function(e) failed = {e.payload.message, (e.payload.at:gsub("%.lua", ""))} end) Hook.register("tool:*:before_execution", function() error("oops") end) return {${calc().lua}.result, failed}`,
    js: `let failed; Event.subscribe("hook.failed", e => { failed = [e.payload.message, e.payload.at.replace(".js", "")] }); Hook.register("tool:*:before_execution", () => { throw new Error("oops") }); [${calc().js}.result, failed]`,
    expect: [2, ['oops', 'main:1']],
  },
  {
    name: 'unless registered so',
    lua: `Hook.register("tool:*:before_execution", function() error("oops") end, {on_error = "fail"}) ${calc().lua}`,
    js: `Hook.register("tool:*:before_execution", () => { throw new Error("oops") }, {on_error: "fail"}); ${calc().js}`,
    expect_error: { message: 'oops' },
  },
  {
    name: 'that compute past their time are interrupted and reported',
    lua: `local failed Event.subscribe("hook.failed", function(e) failed = e.payload.code .. " " .. e.payload.at:gsub("%.lua", "") end)
Hook.register("tool:*:before_execution", function() while true do end end, {timeout_ms = 30}) return {${calc().lua}.result, failed}`,
    js: `let failed; Event.subscribe("hook.failed", e => { failed = e.payload.code + " " + e.payload.at.replace(".js", "") });
Hook.register("tool:*:before_execution", () => { for (;;); }, {timeout_ms: 30}); [${calc().js}.result, failed]`,
    expect: [2, 'TIMEOUT main:2'],
  },
  {
    name: 'that wait past their time are cut',
    lua: `Hook.register("tool:*:before_execution", function() sleep(5000) end, {timeout_ms = 20}) return ${calc().lua}.result`,
    js: `Hook.register("tool:*:before_execution", () => { sleep(5000) }, {timeout_ms: 20}); ${calc().js}.result`,
    expect: 2,
  },
  {
    name: 'open their circuit after five failures in a row',
    lua: `local n, opened = 0, 0 Event.subscribe("hook.circuit_opened", function() opened = opened + 1 end) Hook.register("tool:*:before_execution", function() n = n + 1 error("x") end) for i = 1, 8 do ${calc().lua} end return {n, opened, Hook.list()[1].circuit}`,
    js: `let n = 0, opened = 0; Event.subscribe("hook.circuit_opened", () => { opened++ }); Hook.register("tool:*:before_execution", () => { n++; throw new Error("x") }); for (let i = 0; i < 8; i++) ${calc().js}; [n, opened, Hook.list()[0].circuit]`,
    expect: [5, 1, 'open'],
  },
  {
    name: 'may wait',
    lua: `Hook.register("tool:*:before_execution", function(ctx) sleep(5) return {input = {expression = "40 + 2"}} end) return ${calc().lua}.result`,
    js: `Hook.register("tool:*:before_execution", ctx => { sleep(5); return {input: {expression: "40 + 2"}} }); ${calc().js}.result`,
    expect: 42,
  },
  {
    name: 'tell what happens',
    lua: `local seen Hook.register("tool:calculator:after_execution", function(ctx) seen = {ctx.point, ctx.tool_name, ctx.name, ctx.input.expression, ctx.output.result, type(ctx.duration_ms), ctx.tenant} end) ${calc().lua} return seen`,
    js: `let seen; Hook.register("tool:calculator:after_execution", ctx => { seen = [ctx.point, ctx.tool_name, ctx.name, ctx.input.expression, ctx.output.result, typeof ctx.duration_ms, ctx.tenant] }); ${calc().js}; seen`,
    expect: ['tool:calculator:after_execution', 'calculator', 'calculator', '1 + 1', 2, 'number', 'default'],
  },
  {
    name: 'nest eight deep at most',
    lua: `local depth = 0 Hook.register("state:before_save", function() depth = depth + 1 State.save("global", "x", depth) end, {on_error = "fail"}) local ok, e = pcall(State.save, "global", "x", 0) return {ok, e.code, depth}`,
    js: `let depth = 0, code; Hook.register("state:before_save", () => { depth++; State.save("global", "x", depth) }, {on_error: "fail"}); try { State.save("global", "x", 0) } catch (e) { code = e.code } [false, code, depth]`,
    expect: [false, 'DEPTH_EXCEEDED', 8],
  },
  {
    name: 'are refused at points that do not exist',
    lua: `Hook.register("agent:before_lunch", function() end)`,
    js: `Hook.register("agent:before_lunch", () => {})`,
    expect_error: { code: 'BAD_ARGUMENT', message: /no hook point matches "agent:before_lunch"; the nearest is / },
  },
  {
    name: 'are limited',
    lua: `for i = 1, 11 do Hook.register("state:*", function() end) end`,
    js: `for (let i = 0; i < 11; i++) Hook.register("state:*", () => {})`,
    limits: { hooks: 10 },
    expect_error: { code: 'LIMIT_EXCEEDED', message: 'more than limits.hooks = 10 hooks in one run' },
  },
  {
    name: "are checked again: an output that does not fit is the hook's failure",
    lua: `local failed Event.subscribe("hook.failed", function(e) failed = e.payload.message end) Hook.register("tool:calculator:after_execution", function() return {output = {result = "much"}} end) return {${calc().lua}.result, failed}`,
    js: `let failed; Event.subscribe("hook.failed", e => { failed = e.payload.message }); Hook.register("tool:calculator:after_execution", () => ({output: {result: "much"}})); [${calc().js}.result, failed]`,
    expect: [2, expect.stringMatching(/^calculator: output\.result: expected a number, got /)],
  },
  {
    name: 'may be switched off and on again, and taken away',
    lua: `local n = 0 local id = Hook.register("tool:*:before_execution", function() n = n + 1 end) ${calc().lua} local seen = {n} Hook.pause(id) ${calc().lua} seen[2] = n Hook.resume(id) ${calc().lua} seen[3] = n seen[4] = Hook.list()[1].calls seen[5] = Hook.unregister(id) ${calc().lua} seen[6] = n seen[7] = Hook.unregister(id) return seen`,
    js: `let n = 0; const id = Hook.register("tool:*:before_execution", () => { n++ }); ${calc().js}; const seen = [n]; Hook.pause(id); ${calc().js}; seen.push(n); Hook.resume(id); ${calc().js}; seen.push(n, Hook.list()[0].calls, Hook.unregister(id)); ${calc().js}; seen.push(n, Hook.unregister(id)); seen`,
    expect: [1, 1, 2, 2, true, 2, false],
  },
  {
    name: 'that are taken away by one before them do not run any more',
    lua: `local seen, second = {} Hook.register("tool:*:before_execution", function() seen[#seen + 1] = 1 Hook.unregister(second) end, "high") second = Hook.register("tool:*:before_execution", function() seen[#seen + 1] = 2 end) ${calc().lua} return seen`,
    js: `const seen = []; let second; Hook.register("tool:*:before_execution", () => { seen.push(1); Hook.unregister(second) }, "high"); second = Hook.register("tool:*:before_execution", () => { seen.push(2) }); ${calc().js}; seen`,
    expect: [1],
  },
  {
    name: 'are listed by point, language and priority',
    lua: `Hook.register("agent:before_execution", function() end, "high") Hook.register("tool:*:before_execution", function() end) Hook.register("agent:*", function() end) local function n(f) return #Hook.list(f) end return {n(), n({hook_point = "agent:*"}), n({hook_point = "agent:after_execution"}), n({language = "lua"}) + n({language = "javascript"}), n({language = "host"}), n({priority = "high"}), n({hook_point = "tool:calculator:*"})}`,
    js: `Hook.register("agent:before_execution", () => {}, "high"); Hook.register("tool:*:before_execution", () => {}); Hook.register("agent:*", () => {}); const n = f => Hook.list(f).length; [n(), n({hook_point: "agent:*"}), n({hook_point: "agent:after_execution"}), n({language: "lua"}) + n({language: "javascript"}), n({language: "host"}), n({priority: "high"}), n({hook_point: "tool:calculator:*"})]`,
    expect: [3, 2, 1, 3, 0, 1, 1],
  },
  {
    name: 'refuse what a point is asked with: unknown keys of the answer are failures',
    lua: `local failed = {} Event.subscribe("hook.failed", function(e) failed[#failed + 1] = e.payload.message end) Hook.register("tool:*:before_execution", function() return {cancel = true} end) Hook.register("tool:*:before_execution", function() return false end) Hook.register("tool:*:before_execution", function() return {retry = {max_attempts = 0}} end) ${calc().lua} return failed`,
    js: `const failed = []; Event.subscribe("hook.failed", e => { failed.push(e.payload.message) }); Hook.register("tool:*:before_execution", () => ({cancel: true})); Hook.register("tool:*:before_execution", () => false); Hook.register("tool:*:before_execution", () => ({retry: {max_attempts: 0}})); ${calc().js}; failed`,
    expect: [
      'answer: unknown key "cancel"; known are continue_execution, reason, input, output, retry, skip',
      'answer: expected nothing or a map, got false; to refuse return a map with continue_execution as false and a reason',
      'answer: retry.max_attempts: expected an integer from 1 to 100, got 0',
    ],
  },
  {
    name: 'that must not fail refuse the operation while their circuit is open',
    lua: `Hook.register("tool:*:before_execution", function() error("x") end, {on_error = "fail"}) local codes = {} for i = 1, 6 do local ok, e = pcall(function() ${calc().lua} end) codes[i] = type(e) == "table" and e.code or "raised" end return codes`,
    js: `Hook.register("tool:*:before_execution", () => { throw new Error("x") }, {on_error: "fail"}); const codes = []; for (let i = 0; i < 6; i++) { try { ${calc().js} } catch (e) { codes.push(e.code ?? "raised") } } codes`,
    expect: ['raised', 'raised', 'raised', 'raised', 'raised', 'HOOK_REJECTED'],
  },
  {
    name: 'that cause themselves fail once for each operation',
    lua: `local failed, points = {}, {"before_save", "after_save"} Event.subscribe("hook.*", function(e) failed[#failed + 1] = e.event_type end) for i, point in ipairs(points) do Hook.register("state:" .. point, function() State.save("global", "k", i) end, {on_error = i == 1 and "fail" or "continue"}) end pcall(State.save, "global", "k", 0) Hook.unregister("hook_1") State.save("global", "k", 0) return {failed, Hook.list()[1].failures}`,
    js: `const failed = [], points = ["before_save", "after_save"]; Event.subscribe("hook.*", e => { failed.push(e.event_type) }); points.forEach((point, i) => Hook.register("state:" + point, () => { State.save("global", "k", i) }, {on_error: i === 0 ? "fail" : "continue"})); try { State.save("global", "k", 0) } catch {} Hook.unregister("hook_1"); State.save("global", "k", 0); [failed, Hook.list()[0].failures]`,
    expect: [['hook.failed', 'hook.failed'], 1],
  },
  {
    name: 'that wait past their time are reported as an event',
    lua: `local failed Event.subscribe("hook.failed", function(e) failed = {e.payload.code, e.payload.point, e.payload.message} end) Hook.register("tool:*:before_execution", function() sleep(5000) end, {timeout_ms = 20}) ${calc().lua} return failed`,
    js: `let failed; Event.subscribe("hook.failed", e => { failed = [e.payload.code, e.payload.point, e.payload.message] }); Hook.register("tool:*:before_execution", () => { sleep(5000) }, {timeout_ms: 20}); ${calc().js}; failed`,
    expect: ['TIMEOUT', 'tool:calculator:before_execution', 'took longer than 20 ms'],
  },
  {
    name: 'cannot widen permissions: neither files, nor models, nor scopes',
    lua: `local codes = {} Hook.register("tool:file_read:before_execution", function() return {input = {path = "/etc/hostname"}} end) Hook.register("agent:before_creation", function(ctx) return {input = {name = ctx.name, model = "openai/gpt-4"}} end) Hook.register("state:before_save", function() return {input = {scope = "../other", key = "k", value = 1}} end, {on_error = "fail"}) local function try(f) local ok, e = pcall(f) codes[#codes + 1] = ok or e.code end try(function() Tool.execute("file_read", {path = "a.txt"}) end) try(function() Agent.create({model = "local/extractive"}) end) try(function() State.save("global", "k", 1) end) return codes`,
    js: `const codes = []; Hook.register("tool:file_read:before_execution", () => ({input: {path: "/etc/hostname"}})); Hook.register("agent:before_creation", ctx => ({input: {name: ctx.name, model: "openai/gpt-4"}})); Hook.register("state:before_save", () => ({input: {scope: "../other", key: "k", value: 1}}), {on_error: "fail"}); const attempt = f => { try { f(); codes.push(true) } catch (e) { codes.push(e.code) } }; attempt(() => Tool.execute("file_read", {path: "a.txt"})); attempt(() => Agent.create({model: "local/extractive"})); attempt(() => State.save("global", "k", 1)); codes`,
    expect: ['NOT_ALLOWED', 'NOT_ALLOWED', 'BAD_ARGUMENT'],
  },
  {
    name: 'at a point that is none name the nearest, unless the pattern is long',
    lua: `local out = {} for i, point in ipairs({"tool:x:befor_execution", "tool:" .. ("a"):rep(980) .. ":bogus"}) do local ok, e = pcall(Hook.register, point, function() end) out[i] = {#e.message < 1200, e.message:match("the nearest is ([^ ]+)") or "none"} end return out`,
    js: `["tool:x:befor_execution", "tool:" + "a".repeat(980) + ":bogus"].map(point => { try { Hook.register(point, () => {}) } catch (e) { return [e.message.length < 1200, e.message.match(/the nearest is ([^ ]+)/)?.[1] ?? "none"] } })`,
    expect: [
      [true, 'tool:x:before_execution'],
      [true, 'none'],
    ],
  },
  { name: 'end with their script', lua: `return #Hook.list()`, js: `Hook.list().length`, expect: 0 },
];
