import type { Case } from '../conformance/case.ts';

const says = (name: string, lua: string, js: string, message: string | RegExp): Case => ({ name, lua, js, expect_error: { message } });
const both = (name: string, code: string, message: string | RegExp): Case => says(name, code, code, message);

const AGENT = `Agent.create({model = "local/extractive"})`;

/** What messages say of mistakes that are easily made. */
export const cases: readonly Case[] = [
  says(
    'a method without its handle',
    `local agent = ${AGENT} agent.execute("x")`,
    `const {execute} = Agent.create({model: "local/extractive"}); execute("x")`,
    /^Agent:execute: self: expected an Agent handle, got (a string|null); call it on the handle: agent[:.]execute\(…\)$/,
  ),
  says(
    'a method of another handle',
    `local agent = ${AGENT} agent.execute(Tool.get("text"))`,
    `Agent.create({model: "local/extractive"}).execute.call(Tool.get("text"), "x")`,
    /^Agent:execute: self: expected an Agent handle, got a Tool handle; call it on the handle: agent[:.]execute\(…\)$/,
  ),
  both('a text that is missing', 'Tool.execute("regex", {})', /^regex\.pattern: expected a string, got (nil|nothing)$/),
  both('a value that is forgotten', 'State.save("global", "k")', 'State.save: value: expected a value, got nothing'),
  both('a value to compare with that is forgotten', 'State.compare_and_set("global", "k")', 'State.compare_and_set: expected: expected a value, got nothing'),
  both('a value to set that is forgotten', 'State.compare_and_set("global", "k", 1)', 'State.compare_and_set: value: expected a value, got nothing'),
  says('a global as an argument too many', 'State:save("global", "k", 1)', 'State.save(State, "global", "k", 1)', /; call it with a dot: State\.save\(…\)$/),
  says('a global in place of an argument', 'Event:emit("x")', 'Event.emit(Event, "x")', /^Event\.emit: .*; call it with a dot: Event\.emit\(…\)$/),
  says(
    'a global where any value will do',
    'Logger:info("x")',
    'Logger.info(Logger, "x")',
    'Logger.info: message: expected a value, got the global itself; call it with a dot: Logger.info(…)',
  ),
  {
    name: 'a map with a function in it is no global',
    lua: `Logger.info({warn = print}) local ok, e = pcall(JSON.stringify, JSON, {1}) return e.message`,
    js: `Logger.info({warn: print}); "JSON.stringify: value: expected a value, got the global itself; call it with a dot: JSON.stringify(…)"`,
    expect: 'JSON.stringify: value: expected a value, got the global itself; call it with a dot: JSON.stringify(…)',
  },
  says(
    'functions in data',
    'State.save("global", "k", {a = {f = print}})',
    'State.save("global", "k", {a: {f: () => {}}})',
    'State.save: value.a.f: expected data that can be stored, got a function',
  ),
  says(
    'an option that is like no other',
    `Tool.register({name = "t", description = "x", parameters = {properties = {n = {type = "integer"}}, additionalProperties = false}, handler = print}) Tool.execute("t", {f = 1})`,
    `Tool.register({name: "t", description: "x", parameters: {properties: {n: {type: "integer"}}, additionalProperties: false}, handler: () => {}}); Tool.execute("t", {f: 1})`,
    't: unknown option "f"; known are n',
  ),
  says(
    'an argument that a tool of the script requires',
    `Tool.register({name = "t", description = "x", parameters = {type = "object", required = {"town"}}, handler = print}) Tool.execute("t", {})`,
    `Tool.register({name: "t", description: "x", parameters: {type: "object", required: ["town"]}, handler: () => {}}); Tool.execute("t", {})`,
    /^t\.town: expected a value, got (nil|nothing)$/,
  ),
  both(
    'an event that can never be',
    'Event.subscribe("a b", print)',
    'Event.subscribe: pattern "a b": expected names of letters, digits, _, - and * between its separators, got "a b"',
  ),
  says(
    'a turn that says nothing',
    'Session.add_turn(Session.create({name = "s"}), {role = "user"})',
    'Session.add_turn(Session.create({name: "s"}), {role: "user"})',
    'Session.add_turn: turn.content: expected text or data, got nothing',
  ),
  says(
    'a transformation that there is none of',
    'State.migrate({from_version = 1, to_version = 2, scope = "global", transformations = {{field = "kind", transform = "convrt", to = "integer"}}})',
    'State.migrate({from_version: 1, to_version: 2, scope: "global", transformations: [{field: "kind", transform: "convrt", to: "integer"}]})',
    /^State\.migrate: migration\.transformations\[[01]\]\.transform: expected "copy", .* or "[a-z_]+", got "convrt"$/,
  ),
  says(
    'a way to go on that is none',
    'Workflow.sequential({name = "w", steps = {{name = "s", tool = "uuid", on_error = "ignore"}}})',
    'Workflow.sequential({name: "w", steps: [{name: "s", tool: "uuid", on_error: "ignore"}]})',
    /^Workflow\.sequential: spec\.steps\[[01]\]\.on_error: expected one of "fail", "continue" or "retry" or a function, got "ignore"$/,
  ),
  says(
    'a schema that is none',
    `Tool.register({name = "t", description = "x", parameters = {properties = {n = {minimum = "x"}}}, handler = print})`,
    `Tool.register({name: "t", description: "x", parameters: {properties: {n: {minimum: "x"}}}, handler: () => {}})`,
    'Tool.register: parameters.properties.n.minimum: expected a number, got "x"',
  ),
  says(
    'an option without its unit',
    'State.save("global", "k", 1, {ttl = 5})',
    'State.save("global", "k", 1, {ttl: 5})',
    'State.save: options: unknown option "ttl"; did you mean "ttl_ms"?',
  ),
  both('a kind of scope', 'State.save("usr:ada", "k", 1)', /^State\.save: scope: expected .*, got "usr:ada"; did you mean "user:ada"\?$/),
  both('a scope of knowledge', 'RAG.get_stats("globl")', /^RAG\.get_stats: scope: expected .*, got "globl"; did you mean "global"\?$/),
  says(
    'a name that no tool may have',
    'Tool.register({name = "My Tool", description = "x", handler = print})',
    'Tool.register({name: "My Tool", description: "x", handler: () => {}})',
    'Tool.register: name: expected snake_case (a-z, 0-9, _; up to 64), got "My Tool"',
  ),
  says('a pattern of events', 'Event.subscribe("a..b", print)', 'Event.subscribe("a..b", print)', /^Event\.subscribe: pattern "a\.\.b": expected names/),
  both(
    'a pattern as the type of an event',
    'Event.emit("a.*")',
    'Event.emit: event_type: expected names of letters, digits, _ and - with . or : between them, 256 characters at most, got "a.*"; patterns are for Event.subscribe',
  ),
  both('a pattern to receive', 'Event.receive("", 1)', /^Event\.receive: pattern "": expected names/),
  both(
    'a hook point with a name',
    'Hook.register("tools:text:before_execution", print)',
    'Hook.register: no hook point matches "tools:text:before_execution"; the nearest is tool:text:before_execution (Hook.list_points() names all)',
  ),
  both(
    'a hook point without a name',
    'Hook.register("tool:before_exec", print)',
    'Hook.register: no hook point matches "tool:before_exec"; the nearest is tool:before_execution (Hook.list_points() names all)',
  ),
  ...[
    ['agnt:*', 'agent:*'],
    ['tol:*', 'tool:*'],
    ['evnt:**', 'event:**'],
    ['agnt:x:*', 'agent:x:*'],
    ['tools:*:error', 'tool:*:error'],
    ['sec:*', 'security:*'],
    ['agent', 'agent:*'],
    ['befor_execution', 'tool:before_execution'],
  ].map(([given, meant]) =>
    both(
      `a pattern of hook points: ${given}`,
      `Hook.register("${given}", print)`,
      `Hook.register: no hook point matches "${given}"; the nearest is ${meant} (Hook.list_points() names all)`,
    ),
  ),
  says(
    'a parameter of a tool that its operation needs',
    'Tool.execute("text", {operation = "replace", text = "a", with = "b"})',
    'Tool.execute("text", {operation: "replace", text: "a", with: "b"})',
    'text: find: needed for replace',
  ),
  says(
    'a JSON text for a tool',
    `Tool.execute("json_query", {data = "{bad", query = "$"})`,
    `Tool.execute("json_query", {data: "{bad", query: "$"})`,
    /^json_query: data: expected JSON text: .* at position 1 /,
  ),
  says(
    'a template that includes another',
    `Tool.execute("template", {template = "{% include 'x' %}"})`,
    `Tool.execute("template", {template: "{% include 'x' %}"})`,
    'template: template: templates read no files, and this one asks for "x", line:1, col:1',
  ),
  {
    name: 'a file in a folder that is not there',
    lua: 'Tool.execute("file_write", {path = "q/n.txt", content = "a"})',
    js: 'Tool.execute("file_write", {path: "q/n.txt", content: "a"})',
    expect_error: { code: 'NOT_FOUND', message: /^file_write: the folder of q\/n\.txt does not exist; create_folders( =|:) true makes it$/ },
  },
  {
    name: 'a file in a folder that is made',
    lua: 'Tool.execute("file_write", {path = "q/r/n.txt", content = "a", create_folders = true}) return Tool.execute("file_read", {path = "q/r/n.txt"}).content',
    js: 'Tool.execute("file_write", {path: "q/r/n.txt", content: "a", create_folders: true}); Tool.execute("file_read", {path: "q/r/n.txt"}).content',
    expect: 'a',
  },
  says(
    'a hook that takes too long',
    'Hook.register("tool:before_execution", function() sleep(5000) end, {timeout_ms = 10, on_error = "fail"}) Tool.execute("uuid", {})',
    'Hook.register("tool:before_execution", () => { sleep(5000) }, {timeout_ms: 10, on_error: "fail"}); Tool.execute("uuid", {})',
    'the hook hook_1 at tool:uuid:before_execution: took longer than 10 ms',
  ),
  says(
    'an answer of a hook without which nothing runs',
    'Hook.register("custom:a", function() return {cancel = true} end, {on_error = "fail"}) Hook.fire("a")',
    'Hook.register("custom:a", () => ({cancel: true}), {on_error: "fail"}); Hook.fire("a")',
    'the hook hook_1 at custom:a: answer: unknown key "cancel"; known are continue_execution, reason, input, output, retry, skip',
  ),
  says('an empty text that nobody catches', 'error("", 0)', 'throw ""', 'the script threw ""'),
  says(
    'what is no function in a list of functions',
    'parallel({print, JSON.null})',
    'parallel([print, undefined])',
    /^parallel: tasks\[[12]\]: expected a function \(or give the function for all items as second argument\), got (nil|null)$/,
  ),
  says('a value that nobody catches', 'error({a = {1, print}})', 'throw {a: [1, print]}', 'the script threw {"a":[1,"[function]"]}'),
  says(
    'a large value that nobody catches',
    'local t = {} for i = 1, 1000 do t[i] = {i} end error(t)',
    'throw Array.from({length: 1000}, (_, i) => [i + 1])',
    `the script threw ${JSON.stringify(Array.from({ length: 1_000 }, (_, i) => [i + 1])).slice(0, 200)}…`,
  ),
  {
    name: 'a value with a message and a code that nobody catches',
    lua: 'error({message = "m", code = "NOT_FOUND"})',
    js: 'throw {message: "m", code: "NOT_FOUND"}',
    expect_error: { code: 'NOT_FOUND', message: 'm' },
  },
  {
    ...says(
      'more functions at once than may be',
      'parallel({1, 2, 3}, function() sleep(60000) end)',
      'parallel([1, 2, 3], () => sleep(60000))',
      'more than limits.fibers = 3 callbacks at once; max_concurrency bounds them',
    ),
    limits: { fibers: 3 },
  },
  says(
    'a provider',
    'Agent.create({model = "opnai/gpt-4"})',
    'Agent.create({model: "opnai/gpt-4"})',
    'Agent.create: model: unknown provider in "opnai/gpt-4"; did you mean openai/gpt-4?',
  ),
  says(
    'a model that comes with the runtime',
    'Agent.create({model = "local/extractiv"})',
    'Agent.create({model: "local/extractiv"})',
    'Agent.create: model: there is no model "local/extractiv"; did you mean local/extractive?',
  ),
  {
    ...says(
      'a model that is configured and was not granted',
      'Agent.create({model = "mine/m"})',
      'Agent.create({model: "mine/m"})',
      'Agent.create: the model mine/m was not granted to this run (grants.models)',
    ),
    config: { models: { providers: { mine: { kind: 'openai-compatible', base_url: 'http://127.0.0.1:9/v1' } } } },
  },
  says(
    'a model that is not configured',
    'Agent.create({model = "openai/gpt-4"})',
    'Agent.create({model: "openai/gpt-4"})',
    'Agent.create: the model openai/gpt-4 was not granted to this run; set up its provider (OPENAI_API_KEY in the environment, or [models.providers.openai] in the configuration), or use another (models.override or --model local/extractive)',
  ),
  says(
    'a query for tools that is too long',
    'Tool.discover({query = ("search "):rep(300000)})',
    'Tool.discover({query: "search ".repeat(300000)})',
    /^Tool\.discover: filter\.query: expected a string of at most 1000 characters, got "search search .*…"$/,
  ),
  says(
    'a tool with a name without end',
    'Tool.execute(("search_"):rep(300000))',
    'Tool.execute("search_".repeat(300000))',
    /^Tool\.execute: there is no tool "(search_){14}se…" \(Tool\.list\(\) names all\)$/,
  ),
  says(
    'tools without end',
    'for i = 1, 1001 do Tool.register({name = "t" .. i, description = "d", handler = print}) end',
    'for (let i = 1; i <= 1001; i++) Tool.register({name: "t" + i, description: "d", handler: print})',
    'Tool.register: more than 1000 tools of one script',
  ),
  {
    name: 'words that come again in a query for tools count once',
    lua: `local function names(query) local out = {} for i, t in ipairs(Tool.discover({query = query})) do out[i] = t.name end return out end local a, b = names("search the web"), names("search the web search the search") for i = 1, #a do if a[i] ~= b[i] then return false end end return {#a == #b, a[1]}`,
    js: `const names = query => Tool.discover({query}).map(t => t.name); const [a, b] = [names("search the web"), names("search the web search the search")]; [a.join() === b.join(), a[0]]`,
    expect: [true, 'web_search'],
  },
  {
    name: 'the escapes of JSON in the names of a path',
    lua: String.raw`return Tool.execute("json_query", {data = {["a\nb"] = 1}, query = '$["\\u0061\\nb"]'}).result`,
    js: String.raw`Tool.execute("json_query", {data: {"a\nb": 1}, query: '$["\\u0061\\nb"]'}).result`,
    expect: 1,
  },
  {
    name: 'a long name is told by its beginning',
    lua: String.raw`local long, out = ("\n"):rep(100000), {} for i, f in ipairs({function() Agent.create_from_template(long) end, function() Agent.create({model = long}) end, function() Agent.create({model = "x/" .. ("y"):rep(100000)}) end, function() Alert.send("x", 1, {channel = long}) end, function() RAG.create({chunking = {strategy = long}}) end}) do local ok, e = pcall(f) out[i] = not ok and #e.message < 600 and e.code ~= "INTERNAL" end return out`,
    js: String.raw`const long = "\n".repeat(100000); [() => Agent.create_from_template(long), () => Agent.create({model: long}), () => Agent.create({model: "x/" + "y".repeat(100000)}), () => Alert.send("x", 1, {channel: long}), () => RAG.create({chunking: {strategy: long}})].map(f => { try { f() } catch (e) { return e.message.length < 600 || e.message.length } })`,
    expect: Array(5).fill(true),
  },
];
