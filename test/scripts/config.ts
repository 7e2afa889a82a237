import { expect } from 'vitest';
import type { Case } from '../conformance/case.ts';

const SECRETS = {
  models: { providers: { p: { kind: 'openai', api_key: 'secret', base_url: 'http://user:secret@host/v1?key=secret' }, q: { kind: 'openai' } } },
  alerts: { channels: { ops: { webhook: 'http://127.0.0.1:9/secret' } } },
} as const;

/** Configuration, JSON, log and alerts. */
export const cases: readonly Case[] = [
  {
    name: 'a path that is too long is refused with its beginning, and nothing may read it',
    lua: `local long = ("a/"):rep(3000) local r = {Config.is_file_access_allowed(long), Config.is_file_access_allowed("./" .. ("x/../"):rep(1000))} for _, f in ipairs({function() Tool.execute("file_read", {path = long}) end, function() Tool.execute("file_list", {path = long}) end, function() Tool.execute("file_write", {path = long, content = "x"}) end, function() Artifact.store_file(Session.create(), long, "t") end, function() error({message = RAG.ingest_documents("global", {{file_path = long}}).failed[1].error}) end}) do local _, err = pcall(f) r[#r + 1] = err.message:match("path: .*"):sub(1, 62) end return r`,
    js: `const long = "a/".repeat(3000), r = [Config.is_file_access_allowed(long), Config.is_file_access_allowed("./" + "x/../".repeat(1000))]; for (const f of [() => Tool.execute("file_read", {path: long}), () => Tool.execute("file_list", {path: long}), () => Tool.execute("file_write", {path: long, content: "x"}), () => Artifact.store_file(Session.create(), long, "t"), () => { throw {message: RAG.ingest_documents("global", [{file_path: long}]).failed[0].error} }]) { try { f() } catch (err) { r.push(err.message.match(/path: .*/)[0].slice(0, 62)) } } r`,
    expect: [false, false, ...Array.from({ length: 5 }, () => 'path: expected at most 4096 characters, got 6000: "a/a/a/a/a/a')],
  },
  {
    name: 'settings are read by path, by section and by provider',
    lua: `return {Config.get("limits.memory_mb"), Config.get("no.such", 7), Config.has("limits.cpu_ms"), Config.has("no.such"), Config.has("limits.cpu_ms.x"), Config.get_section("log"), Config.get_provider("q"), Config.list_providers(), Config.get("constructor") == nil}`,
    js: `[Config.get("limits.memory_mb"), Config.get("no.such", 7), Config.has("limits.cpu_ms"), Config.has("no.such"), Config.has("limits.cpu_ms.x"), Config.get_section("log"), Config.get_provider("q"), Config.list_providers(), Config.get("constructor") === null]`,
    config: SECRETS,
    expect: [64, 7, true, false, false, { level: 'silent' }, { kind: 'openai' }, ['p', 'q'], true],
  },
  {
    name: 'secrets read as *** whatever the way to them, and are not there where there are none',
    lua: `return {Config.get("models.providers.p.api_key"), Config.get("models.providers.p.base_url"), Config.get_provider("p"), Config.get("alerts"), JSON.stringify(Config.get()):find("secret") == nil, Config.has("models.providers.q.api_key"), Config.has("no.token"), Config.get("no.token", 7)}`,
    js: `[Config.get("models.providers.p.api_key"), Config.get("models.providers.p.base_url"), Config.get_provider("p"), Config.get("alerts"), !JSON.stringify(Config.get()).includes("secret"), Config.has("models.providers.q.api_key"), Config.has("no.token"), Config.get("no.token", 7)]`,
    config: SECRETS,
    expect: [
      '***',
      'http://***@host/v1?***',
      { kind: 'openai', api_key: '***', base_url: 'http://***@host/v1?***' },
      { channels: { ops: { webhook: '***' } } },
      true,
      false,
      false,
      7,
    ],
  },
  {
    name: 'permissions are told',
    lua: `return {Config.is_file_access_allowed(), Config.is_file_access_allowed("."), Config.is_file_access_allowed("/etc/hostname"), Config.is_network_access_allowed(), Config.is_network_access_allowed("a.example.org"), Config.is_network_access_allowed("example.com"), Config.get_permissions()}`,
    js: `[Config.is_file_access_allowed(), Config.is_file_access_allowed("."), Config.is_file_access_allowed("/etc/hostname"), Config.is_network_access_allowed(), Config.is_network_access_allowed("a.example.org"), Config.is_network_access_allowed("example.com"), Config.get_permissions()]`,
    grants: { net: ['*.example.org'], capabilities: new Set(['net']) },
    expect: [
      true,
      true,
      false,
      true,
      true,
      false,
      { capabilities: ['net'], read: 1, write: 1, net: ['*.example.org'], tenants: [], models: ['local/*', 'mock/*'], programs: [], environment: [] },
    ],
  },
  {
    name: 'hosts are asked about as grants are written, and the answer is that of the network',
    lua: `local yes, no = {}, {} for _, host in ipairs({"127.0.0.1:8765", "127.0.0.1", "127.0.0.1:9", "[::1]:80", "[0:0::1]:80", "[::1]", "example.org:443", "EXAMPLE.org", "sub.example.org", "*.example.net", "*.a.example.net:80", "*.example.com", "*", "8.8.8.8", "10.0.0.1", "[::ffff:10.0.0.1]:80", "1.2.3.4.5"}) do local list = Config.is_network_access_allowed(host) and yes or no list[#list + 1] = host end local ok, e = pcall(Config.is_network_access_allowed, "https://example.org/") return {yes, no, e.code, e.message}`,
    js: `const yes = [], no = []; for (const host of ["127.0.0.1:8765", "127.0.0.1", "127.0.0.1:9", "[::1]:80", "[0:0::1]:80", "[::1]", "example.org:443", "EXAMPLE.org", "sub.example.org", "*.example.net", "*.a.example.net:80", "*.example.com", "*", "8.8.8.8", "10.0.0.1", "[::ffff:10.0.0.1]:80", "1.2.3.4.5"]) (Config.is_network_access_allowed(host) ? yes : no).push(host); let e; try { Config.is_network_access_allowed("https://example.org/") } catch (x) { e = x } [yes, no, e.code, e.message]`,
    grants: { net: ['127.0.0.1:8765', '[::1]:80', 'example.org', '*.example.net', '8.8.8.8'] },
    expect: [
      ['127.0.0.1:8765', '[::1]:80', '[0:0::1]:80', 'example.org:443', 'EXAMPLE.org', '*.example.net', '*.a.example.net:80', '8.8.8.8'],
      ['127.0.0.1', '127.0.0.1:9', '[::1]', 'sub.example.org', '*.example.com', '*', '10.0.0.1', '[::ffff:10.0.0.1]:80', '1.2.3.4.5'],
      'BAD_ARGUMENT',
      'Config.is_network_access_allowed: host: expected a host such as api.example.org, *.example.org or [::1], also with :PORT, or *, got "https://example.org/"',
    ],
  },
  {
    name: 'a grant of all hosts does not name a private address, as the network has it',
    lua: `return {Config.is_network_access_allowed("*"), Config.is_network_access_allowed("8.8.8.8:53"), Config.is_network_access_allowed("127.0.0.1"), Config.is_network_access_allowed("[::1]:80"), (select(2, pcall(Tool.execute, "http_request", {url = "http://127.0.0.1:9/"}))).code}`,
    js: `let e; try { Tool.execute("http_request", {url: "http://127.0.0.1:9/"}) } catch (x) { e = x } [Config.is_network_access_allowed("*"), Config.is_network_access_allowed("8.8.8.8:53"), Config.is_network_access_allowed("127.0.0.1"), Config.is_network_access_allowed("[::1]:80"), e.code]`,
    grants: { net: ['*'] },
    expect: [true, true, false, false, 'NOT_ALLOWED'],
  },
  {
    name: 'JSON keeps what there is, and says what is none',
    lua: `local v = JSON.parse('{"a": [1, 2.5, null], "big": 9007199254740993, "none": []}') local function fails(f, ...) local ok, e = pcall(f, ...) return e.message end return {v.a[3] == JSON.null, v.big == 9007199254740993, JSON.stringify(v), JSON.stringify({a = {1}}, {pretty = true}), JSON.parse("null") == nil, fails(JSON.parse, "[1,"):match("^JSON.parse: text: expected JSON text"), fails(JSON.stringify, {print})}`,
    js: `const v = JSON.parse('{"a": [1, 2.5, null], "none": []}'); [v.a[2] === null, JSON.null === undefined, '{"a":[1,2.5,null],"big":9007199254740993,"none":[]}', JSON.stringify({a: [1]}, null, 2), JSON.parse("null") === null, "JSON.parse: text: expected JSON text", "JSON.stringify: value[1]: expected data, got a function"]`,
    expect: [
      true,
      true,
      '{"a":[1,2.5,null],"big":9007199254740993,"none":[]}',
      '{\n  "a": [\n    1\n  ]\n}',
      true,
      'JSON.parse: text: expected JSON text',
      'JSON.stringify: value[1]: expected data, got a function',
    ],
  },
  {
    name: 'floats that are whole stay floats through JSON, however large, and integers stay integers',
    lua: `local out = {} for _, v in ipairs({2.0^53, -2.0^53, 2.0^62, 1e20, 1e21, 1e300, -0.0, 7.0, 0.5, 2^53 | 0, math.maxinteger, 7}) do local back = JSON.parse(JSON.stringify({v}))[1] out[#out + 1] = math.type(back) == math.type(v) and back == v and JSON.stringify(v) end return out`,
    js: `["9007199254740992.0", "-9007199254740992.0", "4611686018427388000.0", "100000000000000000000.0", "1e+21", "1e+300", "-0.0", "7.0", "0.5", "9007199254740992", "9223372036854775807", "7"]`,
    expect: [
      '9007199254740992.0',
      '-9007199254740992.0',
      '4611686018427388000.0',
      '100000000000000000000.0',
      '1e+21',
      '1e+300',
      '-0.0',
      '7.0',
      '0.5',
      '9007199254740992',
      '9223372036854775807',
      '7',
    ],
  },
  {
    name: "half of a surrogate pair is no text for Lua's JSON and stays what it is in JavaScript's; neither crosses",
    lua: `local function fails(text) local ok, e = pcall(JSON.parse, text) return e.code .. " " .. e.message end return {JSON.parse([["\\ud83d\\ude00 \\\\ud800"]]), fails([[{"a": [1,
 "\\ude00"]}]]), fails([["\\ud83d\\ud83d\\ude00"]]), JSON.stringify("\\xff"), JSON.parse(JSON.stringify("😀")) == "😀"}`,
    js: `const half = JSON.parse('"\\\\ud800"'); let e; try { State.save("global", "half", half) } catch (x) { e = x } const kept = half === "\\ud800" && JSON.stringify(half) === '"\\\\ud800"'; const says = "BAD_ARGUMENT JSON.parse: text: expected text, got half of a surrogate pair "; [JSON.parse('"\\\\ud83d\\\\ude00 \\\\\\\\ud800"'), says + "(\\\\ude00) at position 12 (line 2 column 3)", says + "(\\\\ud83d) at position 1 (line 1 column 2)", '{"$bytes":"/w=="}', kept && e.message === "State.save: value: a text with half a surrogate pair"]`,
    expect: [
      '😀 \\ud800',
      'BAD_ARGUMENT JSON.parse: text: expected text, got half of a surrogate pair (\\ude00) at position 12 (line 2 column 3)',
      'BAD_ARGUMENT JSON.parse: text: expected text, got half of a surrogate pair (\\ud83d) at position 1 (line 1 column 2)',
      '{"$bytes":"/w=="}',
      true,
    ],
  },
  {
    name: 'the log takes any message and fields',
    lua: `for _, level in ipairs({"trace", "debug", "info", "warn", "error"}) do Logger[level]({9007199254740993, "\\xff", print}, {n = 9007199254740993}) Logger[level](nil, 5) end Logger.set_level("info") local ok, e = pcall(Logger.set_level, "loud") return e.message`,
    js: `for (const level of ["trace", "debug", "info", "warn", "error"]) { Logger[level]([9007199254740993n, new Uint8Array([255]), print], {n: 9007199254740993n}); Logger[level](null, 5) } Logger.set_level("info"); let message; try { Logger.set_level("loud") } catch (e) { message = e.message } message`,
    expect: 'Logger.set_level: level: expected one of "trace", "debug", "info", "warn", "error" or "silent", got "loud"',
  },
  {
    name: 'an alert is an event, and goes to the channels that are configured',
    lua: `local seen = {} Event.subscribe("alert.*", function(e) seen[#seen + 1] = {e.event_type, e.payload.title} end) local sent = Alert.send("one", {n = 9007199254740993}) Alert.send("two", nil, {severity = "critical", channel = "ops"}) local ok, e = pcall(Alert.send, "three", nil, {channel = "none"}) return {seen, sent, e.code, e.message}`,
    js: `const seen = []; Event.subscribe("alert.*", e => { seen.push([e.event_type, e.payload.title]) }); const sent = Alert.send("one", {n: 9007199254740993n}); Alert.send("two", null, {severity: "critical", channel: "ops"}); let e; try { Alert.send("three", null, {channel: "none"}) } catch (x) { e = x } [seen, sent, e.code, e.message]`,
    config: SECRETS,
    expect: [
      [
        ['alert.warning', 'one'],
        ['alert.critical', 'two'],
      ],
      { delivered: [], failed: [{ channel: 'ops', error: 'the webhook cannot be reached' }] },
      'NOT_FOUND',
      expect.stringMatching(/^Alert\.send: channel: no alert channel "none" is configured; there are ops/),
    ],
  },
  {
    name: 'has no setting of a very long name',
    lua: `local long = ("a."):rep(10000) return {Config.has(long), Config.get(long, "none"), Config.get_provider(long) == nil, Config.get_section(long) == nil}`,
    js: `const long = "a.".repeat(10000); [Config.has(long), Config.get(long, "none"), Config.get_provider(long) === null, Config.get_section(long) === null]`,
    expect: [false, 'none', true, true],
  },
];
