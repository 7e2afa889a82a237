import { expect } from 'vitest';
import type { Case } from '../conformance/case.ts';

const MODELS = { models: { mock: { responses: ['one', 'two', 'three'] } } };

/** Runs functions one after the other and gives the message of each error, or "ok". */
const messages = (lua: readonly string[], js: readonly string[]) => ({
  lua: `local out = {} for i, f in ipairs({${lua.map((body) => `function() ${body} end`).join(', ')}}) do local ok, e = pcall(f) out[i] = ok and "ok" or e.message end return out`,
  js: `const out = []; for (const f of [${js.map((body) => `() => ${body}`).join(', ')}]) try { f(); out.push("ok") } catch (e) { out.push(e.message) } out`,
});
const same = (...bodies: readonly string[]) => messages(bodies, bodies);

/** Whether the value that a function throws comes out of each call as the very same one. */
const thrown = (lua: readonly string[], js: readonly string[]) => ({
  lua: `local mine = {} local function boom() error(mine) end local out = {} for i, f in ipairs({${lua.map((body) => `function() ${body} end`).join(', ')}}) do local ok, e = pcall(f) out[i] = rawequal(e, mine) end return out`,
  js: `const mine = {}; const boom = () => { throw mine }; const out = []; for (const f of [${js.map((body) => `() => ${body}`).join(', ')}]) try { f(); out.push("ok") } catch (e) { out.push(e === mine) } out`,
});

/** What holds for every call. */
export const cases: readonly Case[] = [
  {
    name: 'side by side as many as told, results in order',
    lua: `local now, most = 0, 0 local out = parallel({1, 2, 3, 4, 5}, function(n) now = now + 1 most = math.max(most, now) sleep(6 - n) now = now - 1 return n end, {max_concurrency = 2}) return {most, out}`,
    js: `let now = 0, most = 0; const out = parallel([1, 2, 3, 4, 5], n => { now++; most = Math.max(most, now); sleep(6 - n); now--; return n }, {max_concurrency: 2}); [most, out]`,
    expect: [2, [1, 2, 3, 4, 5]],
  },
  {
    name: 'the first error cancels the rest, and for good',
    lua: `local seen = {} local ok, e = pcall(parallel, {function() for i = 1, 3 do local ok, e = pcall(sleep, 60000) seen[i] = e.code end end, function() sleep(5) error("first") end}) return {seen, tostring(e):match("first")}`,
    js: `const seen = []; let message; try { parallel([() => { for (let i = 0; i < 3; i++) try { sleep(60000) } catch (e) { seen.push(e.code) } }, () => { sleep(5); throw new Error("first") }]) } catch (e) { message = e.message } [seen, message]`,
    expect: [['CANCELLED', 'CANCELLED', 'CANCELLED'], 'first'],
  },
  {
    name: 'what is cancelled at a wait may compute for a moment to tidy up',
    lua: `local sum = 0 pcall(parallel, {function() pcall(sleep, 60000) for i = 1, 20000 do sum = sum + 1 end end, function() sleep(5) error("first") end}) sleep(1) return sum`,
    js: `let sum = 0; try { parallel([() => { try { sleep(60000) } catch {} for (let i = 0; i < 20000; i++) sum++ }, () => { sleep(5); throw new Error("first") }]) } catch {} sleep(1); sum`,
    expect: 20_000,
  },
  {
    name: 'asynchronous functions of JavaScript wait in place',
    lua: `local order = {} local function f(n) order[#order + 1] = n sleep(2) order[#order + 1] = -n return n end return {{f(1), f(2)}, order}`,
    js: `const order = []; const f = async n => { order.push(n); sleep(2); order.push(-n); return await n }; [await Promise.all([f(1), f(2)]), order]`,
    expect: [
      [1, 2],
      [1, -1, 2, -2],
    ],
  },
  {
    name: 'what is not found is nil',
    lua: `local found = {} for name, f in pairs({tool = function() return Tool.get("none") end, schema = function() return Tool.get_schema("none") end, agent = function() return Agent.get("none") end, info = function() return Agent.get_info("none") end, details = function() return Agent.get_details("none") end, workflow = function() return Workflow.get("none") end, state = function() return State.load("global", "none") end, session = function() return Session.get("none") end, artifact = function() return Artifact.get(Session.current_id(), "none") end, config = function() return Config.get("no.such") end, provider = function() return Config.get_provider("none") end, section = function() return Config.get_section("none") end, event = function() return Event.receive("none", 0) end}) do if f() ~= nil then found[#found + 1] = name end end return #found`,
    js: `[Tool.get("none"), Tool.get_schema("none"), Agent.get("none"), Agent.get_info("none"), Agent.get_details("none"), Workflow.get("none"), State.load("global", "none"), Session.get("none"), Artifact.get(Session.current_id(), "none"), Config.get("no.such"), Config.get_provider("none"), Config.get_section("none"), Event.receive("none", 0)].filter(found => found !== null).length`,
    expect: 0,
  },
  {
    name: 'an error has its fields, and its text is the message behind the line of the script',
    lua: `local ok, e = pcall(function() State.save(5, "k", 1) end) return {e.code, e.message, e.method, tostring(e), e.cause == nil}`,
    js: `let e; try { State.save(5, "k", 1) } catch (x) { e = x } [e.code, e.message, e.method, e.stack.match(/main\\.js:1/)[0].replace("js", "lua") + ": " + e.message, e.cause === undefined && e instanceof Error]`,
    expect: [
      'BAD_ARGUMENT',
      'State.save: scope: expected a string, got a number (5)',
      'State.save',
      'main.lua:1: State.save: scope: expected a string, got a number (5)',
      true,
    ],
  },
  {
    name: 'a value that a function throws comes out of every call as itself',
    ...thrown(
      [
        'parallel({boom})',
        'State.update("global", "k", boom)',
        'State.transaction(boom)',
        'Tool.register({name = "t", description = "d", handler = boom}) Tool.execute("t")',
        'Tool.get("t"):execute({})',
        'Hook.register("custom:a", boom, {on_error = "fail"}) Hook.fire("a")',
        'Agent.create({name = "a", model = "mock/script"}):stream("x", boom)',
        'Workflow.conditional({name = "c", branches = {{name = "b", condition = boom, steps = {{handler = print}}}}}):execute()',
        'Workflow.loop({name = "l", iterator = {while_condition = boom}, body = {{handler = print}}}):execute()',
        'State.save("global", "m", {a = 1}) State.migrate({from_version = 1, to_version = 2, transformations = {{field = "a", transform = "custom", fn = boom}}})',
      ],
      [
        'parallel([boom])',
        'State.update("global", "k", boom)',
        'State.transaction(boom)',
        '{ Tool.register({name: "t", description: "d", handler: boom}); Tool.execute("t") }',
        'Tool.get("t").execute({})',
        '{ Hook.register("custom:a", boom, {on_error: "fail"}); Hook.fire("a") }',
        'Agent.create({name: "a", model: "mock/script"}).stream("x", boom)',
        'Workflow.conditional({name: "c", branches: [{name: "b", condition: boom, steps: [{handler: print}]}]}).execute()',
        'Workflow.loop({name: "l", iterator: {while_condition: boom}, body: [{handler: print}]}).execute()',
        '{ State.save("global", "m", {a: 1}); State.migrate({from_version: 1, to_version: 2, transformations: [{field: "a", transform: "custom", fn: boom}]}) }',
      ],
    ),
    config: MODELS,
    expect: Array(10).fill(true),
  },
  {
    name: 'a failed step is the one wrapping, with the original as its cause',
    lua: `local mine = {} local ok, e = pcall(function() Workflow.sequential({name = "w", steps = {{name = "s", handler = function() error(mine) end}}}):execute() end) return {e.code, rawequal(e.cause, mine), e.details.step}`,
    js: `const mine = {}; let e; try { Workflow.sequential({name: "w", steps: [{name: "s", handler: () => { throw mine }}]}).execute() } catch (x) { e = x } [e.code, e.cause === mine, e.details.step]`,
    expect: ['STEP_FAILED', true, 's'],
  },
  {
    name: 'a bad argument names method and parameter, what was found and what was wanted',
    ...messages(
      [
        'State.load(5, "k")',
        'State.load("global", "k", "more")',
        'State.save("global", "k", {list = {1, print}})',
        'State.save("global", "k", 1, {ttl_ms = "x"})',
        'Tool.register({name = "a.b", description = "d", handler = print})',
        'Agent.create({name = "a:b", model = "mock/script"})',
        'Workflow.sequential({name = "a.b", steps = {{handler = print}}})',
        'Session.set_value(Session.current_id(), "k", {print})',
        'Artifact.store(Session.current_id(), "t", "n", "c", {f = print})',
        'State.migrate({from_version = 1, to_version = 2, transformations = {{field = "a", transform = "swap"}}})',
      ],
      [
        'State.load(5, "k")',
        'State.load("global", "k", "more")',
        'State.save("global", "k", {list: [1, print]})',
        'State.save("global", "k", 1, {ttl_ms: "x"})',
        'Tool.register({name: "a.b", description: "d", handler: print})',
        'Agent.create({name: "a:b", model: "mock/script"})',
        'Workflow.sequential({name: "a.b", steps: [{handler: print}]})',
        'Session.set_value(Session.current_id(), "k", [print])',
        'Artifact.store(Session.current_id(), "t", "n", "c", {f: print})',
        'State.migrate({from_version: 1, to_version: 2, transformations: [{field: "a", transform: "swap"}]})',
      ],
    ),
    expect: [
      'State.load: scope: expected a string, got a number (5)',
      'State.load: expected at most 2 arguments, got 3',
      expect.stringMatching(/^State\.save: value\.list\[[12]\]: expected data that can be stored, got a function$/),
      'State.save: options.ttl_ms: expected a number of more than 0 and at most 3162240000000, got a string',
      'Tool.register: name: expected snake_case (a-z, 0-9, _; up to 64), got "a.b"',
      'Agent.create: name: expected 1 to 64 of A-Z a-z 0-9 _ -, got "a:b"',
      'Workflow.sequential: name: expected 1 to 64 of A-Z a-z 0-9 _ -, got "a.b"',
      expect.stringMatching(/^Session\.set_value: value\[[01]\]: expected data that can be stored, got a function$/),
      'Artifact.store: metadata.f: expected data that can be stored, got a function',
      expect.stringMatching(/^State\.migrate: migration\.transformations\[[01]\]\.transform: expected (?=.*"copy")(?=.*"merge").*, got "swap"$/),
    ],
  },
  {
    name: 'an unknown option suggests the nearest one',
    ...messages(
      ['State.list_keys("global", {prefx = "a"})', 'parallel({print}, {max_concurency = 1})', 'Hook.register("custom:a", print, {prioriti = "low"})'],
      ['State.list_keys("global", {prefx: "a"})', 'parallel([print], {max_concurency: 1})', 'Hook.register("custom:a", print, {prioriti: "low"})'],
    ),
    expect: [
      'State.list_keys: options: unknown option "prefx"; did you mean "prefix"?',
      'parallel: fn: unknown option "max_concurency"; did you mean "max_concurrency"?',
      'Hook.register: options: unknown option "prioriti"; did you mean "priority"?',
    ],
  },
  {
    name: 'ids of scopes are taken as they are or refused',
    ...same(
      'State.load("Global", "k")',
      'State.load(" global", "k")',
      'State.load("agent:", "k")',
      'State.load("agent:a b", "k")',
      'State.load("planet:a", "k")',
      'State.load("agent:a:b", "k")',
      'State.load("agent:é", "k")',
      'State.load("agent:A-z_0.9", "k")',
    ),
    expect: [...Array(7).fill(expect.stringMatching(/^State\.load: scope: expected "global" or kind:id /)), 'ok'],
  },
  {
    name: 'a null inside a value is JSON.null, an optional field without a value is absent',
    lua: `State.save("global", "v", {JSON.null, {a = JSON.null}}) local v = State.load("global", "v") local ctx, hook Hook.register("state:after_load", function(c) hook = c.output == nil and c.input ~= nil end) State.load("global", "none") local r = Workflow.sequential({name = "w", steps = {{name = "a", handler = function() end}, {name = "b", handler = function(c) ctx = c.a == nil and c.input == nil and c.loop == nil end}}}):execute() return {v[1] == JSON.null, v[2].a == JSON.null, Event.emit("x").payload == nil, Event.history({pattern = "x"})[1].payload == nil, hook, ctx, r.output == nil, r.steps[1].output == nil}`,
    js: `State.save("global", "v", [null, {a: null}]); const v = State.load("global", "v"); let ctx, hook; Hook.register("state:after_load", c => { hook = !("output" in c) && "input" in c }); State.load("global", "none"); const r = Workflow.sequential({name: "w", steps: [{name: "a", handler: () => {}}, {name: "b", handler: c => { ctx = !("a" in c) && !("input" in c) && !("loop" in c) }}]}).execute(); [v[0] === null, v[1].a === null, !("payload" in Event.emit("x")), !("payload" in Event.history({pattern: "x"})[0]), hook, ctx, !("output" in r), !("output" in r.steps[0])]`,
    expect: Array(8).fill(true),
  },
  {
    name: 'a step without an output hides one of its name further out, however many there are',
    lua: `local steps = {{name = "a", handler = function() return 1 end}} for i = 1, 20 do steps[#steps + 1] = {name = "s" .. i, handler = function() return i end} end local inner = {{name = "a", handler = function() end}, {name = "look", handler = function(ctx) return {ctx.a == nil, ctx.s1, ctx.s20} end}} steps[#steps + 1] = {name = "last", handler = function(ctx) return ctx.a end} Workflow.loop({name = "l", iterator = {collection = {1}}, body = inner}) local l = Workflow.loop({name = "l2", iterator = {collection = {1}}, body = inner}):execute() return {l.steps[1].output == nil, Workflow.sequential({name = "w", steps = steps}):execute().output}`,
    js: `const steps = [{name: "a", handler: () => 1}]; for (let i = 1; i <= 20; i++) steps.push({name: "s" + i, handler: () => i}); steps.push({name: "last", handler: ctx => ctx.a}); const inner = [{name: "a", handler: () => {}}, {name: "look", handler: ctx => ctx.a === undefined}]; const l = Workflow.loop({name: "l2", iterator: {collection: [1]}, body: inner}).execute(); [l.steps[0].output === undefined, Workflow.sequential({name: "w", steps}).execute().output]`,
    expect: [true, 1],
  },
  {
    name: 'print shows what it is given',
    lua: `print("a", 1, 2.5, nil, true, {1, {a = "x"}}, {}, JSON.array({})) local t = {} t.t = t print(t) print() print("a\\nb")`,
    js: `print("a", 1, 2.5, null, true, [1, {a: "x"}], {}, []); const t = {}; t.t = t; print(t); console.log(); print("a\\nb")`,
    output: [
      expect.stringMatching(/^a[\t ]1[\t ]2\.5[\t ](?:nil|null)[\t ]true[\t ][{[]1, \{ ?a(?: =|:) "x" ?\}[}\]][\t ]\{\}[\t ](?:\{\}|\[\])$/),
      expect.stringContaining('<cycle>'),
      '',
      'a\nb',
    ] as string[],
  },
  {
    name: 'arguments come by position and by name, and the input as a value',
    args: ['first', '--name', 'Ada', '--flag', '--n=5', '--', '--last'],
    input: { a: [1, null], b: 'x' },
    lua: `return {ARGS[1], ARGS[2], #ARGS, ARGS.name, ARGS.flag, ARGS.n, INPUT.a[1], INPUT.a[2] == JSON.null, INPUT.b}`,
    js: `[ARGS[0], ARGS[1], ARGS.length, ARGS.name, ARGS.flag, ARGS.n, INPUT.a[0], INPUT.a[1] === null, INPUT.b]`,
    expect: ['first', '--last', 2, 'Ada', true, '5', 1, true, 'x'],
  },
  {
    name: 'there are no finalizers',
    lua: `local ok, e = pcall(setmetatable, {}, {__gc = function() end}) local closed do local x <close> = setmetatable({}, {__close = function() closed = true end}) end return {ok, closed}`,
    js: `let closed; try { throw 1 } catch {} finally { closed = true } [typeof FinalizationRegistry !== "undefined" || typeof WeakRef !== "undefined", closed]`,
    expect: [false, true],
  },
  {
    name: 'a file may begin with a line for the shell and a byte order mark',
    lua: `\uFEFF#!/usr/bin/env llmspell\nlocal ok, e = pcall(function() error("x") end) return e`,
    js: `\uFEFF#!/usr/bin/env llmspell\nlet e; try { throw new Error("x") } catch (x) { e = x } e.stack.match(/main\\.js:\\d/)[0].replace("js", "lua") + ": x"`,
    expect: 'main.lua:2: x',
  },
];
