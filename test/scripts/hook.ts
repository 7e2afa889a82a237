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
    name: 'answer in place of an error',
    lua: `Hook.register("tool:calculator:error", function(ctx) return {output = {result = ctx.error.code}} end) return ${calc('1 / 0').lua}.result`,
    js: `Hook.register("tool:calculator:error", ctx => ({output: {result: ctx.error.code}})); ${calc('1 / 0').js}.result`,
    expect: 'BAD_ARGUMENT',
  },
  {
    name: "are checked again: an input that does not fit is the hook's failure",
    lua: `local failed Event.subscribe("hook.failed", function(e) failed = e.payload.code end) Hook.register("tool:calculator:before_execution", function() return {input = {nonsense = 1}} end) return {${calc().lua}.result, failed}`,
    js: `let failed; Event.subscribe("hook.failed", e => { failed = e.payload.code }); Hook.register("tool:calculator:before_execution", () => ({input: {nonsense: 1}})); [${calc().js}.result, failed]`,
    expect: [2, 'BAD_ARGUMENT'],
  },
  {
    name: 'that throw are reported and do not stop the operation',
    lua: `local failed Event.subscribe("hook.failed", function(e) failed = e.payload.message end) Hook.register("tool:*:before_execution", function() error("oops") end) return {${calc().lua}.result, failed}`,
    js: `let failed; Event.subscribe("hook.failed", e => { failed = e.payload.message }); Hook.register("tool:*:before_execution", () => { throw new Error("oops") }); [${calc().js}.result, failed]`,
    expect: [2, 'oops'],
  },
  {
    name: 'unless registered so',
    lua: `Hook.register("tool:*:before_execution", function() error("oops") end, {on_error = "fail"}) ${calc().lua}`,
    js: `Hook.register("tool:*:before_execution", () => { throw new Error("oops") }, {on_error: "fail"}); ${calc().js}`,
    expect_error: { message: 'oops' },
  },
  {
    name: 'that compute past their time are interrupted and reported',
    lua: `local failed Event.subscribe("hook.failed", function(e) failed = e.payload.code end) Hook.register("tool:*:before_execution", function() while true do end end, {timeout_ms = 30}) return {${calc().lua}.result, failed}`,
    js: `let failed; Event.subscribe("hook.failed", e => { failed = e.payload.code }); Hook.register("tool:*:before_execution", () => { for (;;); }, {timeout_ms: 30}); [${calc().js}.result, failed]`,
    expect: [2, 'TIMEOUT'],
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
  { name: 'end with their script', lua: `return #Hook.list()`, js: `Hook.list().length`, expect: 0 },
];
