import type { Case } from '../conformance/case.ts';

/** What scripts try that would take the host's time or memory, and how it ends. */
export const cases: readonly Case[] = [
  {
    name: 'a schema whose alternatives double at every level is given up',
    lua: `local defs = {} for i = 0, 29 do local next = {["$ref"] = "#/$defs/d" .. i + 1} defs["d" .. i] = {anyOf = {next, next}} end defs.d30 = {type = "string", minLength = 5}
      Tool.register{name = "t", description = "d", parameters = {type = "object", properties = {a = {["$ref"] = "#/$defs/d0"}}, ["$defs"] = defs}, handler = function() end} Tool.execute("t", {a = "x"})`,
    js: `const defs = {}; for (let i = 0; i < 30; i++) { const next = {$ref: "#/$defs/d" + (i + 1)}; defs["d" + i] = {anyOf: [next, next]} } defs.d30 = {type: "string", minLength: 5};
      Tool.register({name: "t", description: "d", parameters: {type: "object", properties: {a: {$ref: "#/$defs/d0"}}, $defs: defs}, handler() {}}); Tool.execute("t", {a: "x"})`,
    expect_error: { code: 'LIMIT_EXCEEDED', message: "t: the schema's alternatives make it more than 250000 checks of one value" },
  },
  {
    name: 'a schema that asks the same part twice at every level is given up',
    lua: `local defs = {} for i = 0, 29 do local next = {["$ref"] = "#/$defs/d" .. i + 1} defs["d" .. i] = {allOf = {next, next}} end defs.d30 = {type = "number"}
      Tool.register{name = "t", description = "d", parameters = {type = "object", properties = {a = {["$ref"] = "#/$defs/d0"}}, ["$defs"] = defs}, handler = function() end} Tool.execute("t", {a = 1})`,
    js: `const defs = {}; for (let i = 0; i < 30; i++) { const next = {$ref: "#/$defs/d" + (i + 1)}; defs["d" + i] = {allOf: [next, next]} } defs.d30 = {type: "number"};
      Tool.register({name: "t", description: "d", parameters: {type: "object", properties: {a: {$ref: "#/$defs/d0"}}, $defs: defs}, handler() {}}); Tool.execute("t", {a: 1})`,
    expect_error: { code: 'LIMIT_EXCEEDED', message: /alternatives/ },
  },
  {
    name: 'a schema that is its own alternative is given up',
    lua: `Tool.register{name = "t", description = "d", parameters = {type = "object", properties = {a = {["$ref"] = "#/$defs/x"}}, ["$defs"] = {x = {anyOf = {{["$ref"] = "#/$defs/x"}, {type = "string"}}}}}, handler = function() end} Tool.execute("t", {a = 1})`,
    js: `Tool.register({name: "t", description: "d", parameters: {type: "object", properties: {a: {$ref: "#/$defs/x"}}, $defs: {x: {anyOf: [{$ref: "#/$defs/x"}, {type: "string"}]}}}, handler() {}}); Tool.execute("t", {a: 1})`,
    expect_error: { code: 'LIMIT_EXCEEDED', message: /alternatives/ },
  },
  {
    name: 'many items of a few alternatives are checked',
    lua: `Tool.register{name = "t", description = "d", parameters = {type = "object", properties = {a = {type = "array", items = {anyOf = {{type = "string", minLength = 2}, {type = "string"}, {type = "number"}}}}}}, handler = function(p) return #p.a end} local a = {} for i = 1, 50000 do a[i] = "x" end return Tool.execute("t", {a = a})`,
    js: `Tool.register({name: "t", description: "d", parameters: {type: "object", properties: {a: {type: "array", items: {anyOf: [{type: "string", minLength: 2}, {type: "string"}, {type: "number"}]}}}}, handler: p => p.a.length}); Tool.execute("t", {a: Array(50000).fill("x")})`,
    expect: 50_000,
  },
];
