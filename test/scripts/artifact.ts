import type { Case } from '../conformance/case.ts';

const LUA = 'local s = Session.create() ';
const JS = 'const s = Session.create(); ';

/** Artifacts. */
export const cases: readonly Case[] = [
  {
    name: 'stores and gets by id and by name',
    lua: `${LUA}local m = Artifact.store(s, "report", "a.md", "hello", {k = {1, 2}}) local g = Artifact.get(s, m.id) local n = Artifact.get(s, "a.md") return {m.content_hash, m.size, m.version, g.content, g.metadata, g.name, g.type, g.version, g.session_id == s, n.id == m.id, g.created_at > 0}`,
    js: `${JS}const m = Artifact.store(s, "report", "a.md", "hello", {k: [1, 2]}); const g = Artifact.get(s, m.id, {encoding: "text"}); const n = Artifact.get(s, "a.md"); [m.content_hash, m.size, m.version, g.content, g.metadata, g.name, g.type, g.version, g.session_id === s, n.id === m.id, g.created_at > 0]`,
    expect: ['2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824', 5, 1, 'hello', { k: [1, 2] }, 'a.md', 'report', 1, true, true, true],
  },
  {
    name: 'content is bytes',
    lua: `${LUA}Artifact.store(s, "t", "b", "\\0\\255\\128x") local c = Artifact.get(s, "b").content return {#c, c:byte(1), c:byte(2), c:byte(3)}`,
    js: `${JS}Artifact.store(s, "t", "b", new Uint8Array([0, 255, 128, 120])); const c = Artifact.get(s, "b").content; [c.length, c[0], c[1], c[2], c instanceof Uint8Array].slice(0, 4)`,
    expect: [4, 0, 255, 128],
  },
  {
    name: 'stores nothing as well',
    lua: `${LUA}local m = Artifact.store(s, "t", "empty", "") return {m.size, #Artifact.get(s, "empty").content}`,
    js: `${JS}const m = Artifact.store(s, "t", "empty", ""); [m.size, Artifact.get(s, "empty").content.length]`,
    expect: [0, 0],
  },
  {
    name: 'gives nil for what is absent',
    lua: `${LUA}return {Artifact.get(s, "none") == nil, Artifact.get("none", "none") == nil, Artifact.get(s, "art_" .. ("0"):rep(24)) == nil, #Artifact.list("none"), #Artifact.versions(s, "none")}`,
    js: `${JS}[Artifact.get(s, "none") === null, Artifact.get("none", "none") === null, Artifact.get(s, "art_" + "0".repeat(24)) === null, Artifact.list("none").length, Artifact.versions(s, "none").length]`,
    expect: [true, true, true, 0, 0],
  },
  {
    name: 'is of its session alone, whoever knows its id or hash',
    lua: `${LUA}local other = Session.create() local m = Artifact.store(s, "t", "a", "secret") return {Artifact.get(other, m.id) == nil, Artifact.get(other, "a") == nil, Artifact.get(other, m.content_hash) == nil, Artifact.delete(other, m.id), #Artifact.list(other)}`,
    js: `${JS}const other = Session.create(); const m = Artifact.store(s, "t", "a", "secret"); [Artifact.get(other, m.id) === null, Artifact.get(other, "a") === null, Artifact.get(other, m.content_hash) === null, Artifact.delete(other, m.id), Artifact.list(other).length]`,
    expect: [true, true, true, false, 0],
  },
  {
    name: 'keeps versions of a name',
    lua: `${LUA}local a = Artifact.store(s, "t", "n", "one") Artifact.store(s, "t", "n", "two") local c = Artifact.store(s, "u", "n", "three") local v = Artifact.versions(s, "n") return {a.version, c.version, Artifact.get(s, "n").content, Artifact.get(s, "n", {version = 1}).content, Artifact.get(s, "n", {version = 9}) == nil, #v, v[1].version, v[3].type, #Artifact.list(s), #Artifact.list(s, {all_versions = true})}`,
    js: `${JS}const a = Artifact.store(s, "t", "n", "one"); Artifact.store(s, "t", "n", "two"); const c = Artifact.store(s, "u", "n", "three"); const v = Artifact.versions(s, "n"); const T = {encoding: "text"}; [a.version, c.version, Artifact.get(s, "n", T).content, Artifact.get(s, "n", {version: 1, ...T}).content, Artifact.get(s, "n", {version: 9}) === null, v.length, v[0].version, v[2].type, Artifact.list(s).length, Artifact.list(s, {all_versions: true}).length]`,
    expect: [1, 3, 'three', 'one', true, 3, 1, 'u', 1, 3],
  },
  {
    name: 'lists newest first',
    lua: `${LUA}for _, n in ipairs({"a", "b", "c"}) do Artifact.store(s, "t", n, n) end local l = Artifact.list(s) return {l[1].name, l[2].name, l[3].name}`,
    js: `${JS}for (const n of ["a", "b", "c"]) Artifact.store(s, "t", n, n); Artifact.list(s).map(x => x.name)`,
    expect: ['c', 'b', 'a'],
  },
  {
    name: 'queries by type, name, metadata, hash, session, newest version and limit',
    lua: `${LUA}local o = Session.create() Artifact.store(s, "report", "a", "1", {by = "ada", n = 1}) Artifact.store(s, "report", "a", "2", {by = "bob"}) local h = Artifact.store(o, "code", "b", "1", {by = "ada"}).content_hash local function q(f) return #Artifact.query(f) end return {q(), q({type = "report"}), q({name = "b"}), q({metadata = {by = "ada"}}), q({metadata = {by = "ada", n = 1}}), q({content_hash = h}), q({session_id = o}), q({latest = true}), q({limit = 1}), q({created_before = 1}), q({created_from = 1}), q({metadata = {by = "ada"}, limit = 1})}`,
    js: `${JS}const o = Session.create(); Artifact.store(s, "report", "a", "1", {by: "ada", n: 1}); Artifact.store(s, "report", "a", "2", {by: "bob"}); const h = Artifact.store(o, "code", "b", "1", {by: "ada"}).content_hash; const q = f => Artifact.query(f).length; [q(), q({type: "report"}), q({name: "b"}), q({metadata: {by: "ada"}}), q({metadata: {by: "ada", n: 1}}), q({content_hash: h}), q({session_id: o}), q({latest: true}), q({limit: 1}), q({created_before: 1}), q({created_from: 1}), q({metadata: {by: "ada"}, limit: 1})]`,
    expect: [3, 2, 1, 2, 1, 2, 1, 2, 1, 0, 3, 1],
  },
  {
    name: 'looks for no more metadata than can be stored',
    lua: `local m = {} for i = 1, 9000 do m["k" .. i] = i end Artifact.query({metadata = m})`,
    js: `const m = {}; for (let i = 1; i <= 9000; i++) m["k" + i] = i; Artifact.query({metadata: m})`,
    expect_error: { code: 'LIMIT_EXCEEDED', message: /^Artifact\.query: metadata: expected at most 65536 bytes, got \d+$/ },
  },
  {
    name: 'deletes one version and says whether',
    lua: `${LUA}local a = Artifact.store(s, "t", "n", "one") local b = Artifact.store(s, "t", "n", "two") return {Artifact.delete(s, b.id), Artifact.delete(s, b.id), Artifact.get(s, "n").content, #Artifact.versions(s, "n")}`,
    js: `${JS}const a = Artifact.store(s, "t", "n", "one"); const b = Artifact.store(s, "t", "n", "two"); [Artifact.delete(s, b.id), Artifact.delete(s, b.id), Artifact.get(s, "n", {encoding: "text"}).content, Artifact.versions(s, "n").length]`,
    expect: [true, false, 'one', 1],
  },
  {
    name: 'deletes by id only',
    lua: `${LUA}Artifact.delete(s, "n")`,
    js: `${JS}Artifact.delete(s, "n")`,
    expect_error: { code: 'BAD_ARGUMENT', message: 'Artifact.delete: id: expected the id of an artifact, got "n" (Artifact.versions lists the ids of a name)' },
  },
  {
    name: 'equal content outlives the first that had it',
    lua: `${LUA}local a = Artifact.store(s, "t", "a", "same") local b = Artifact.store(s, "t", "b", "same") Artifact.delete(s, a.id) return {a.content_hash == b.content_hash, Artifact.get(s, "b").content}`,
    js: `${JS}const a = Artifact.store(s, "t", "a", "same"); const b = Artifact.store(s, "t", "b", "same"); Artifact.delete(s, a.id); [a.content_hash === b.content_hash, Artifact.get(s, "b", {encoding: "text"}).content]`,
    expect: [true, 'same'],
  },
  {
    name: 'large content, compressible or not, and parts of it',
    lua: `${LUA}local text = ("0123456789"):rep(30000) Artifact.store(s, "t", "text", text) local r = {} for i = 1, 100000 do r[i] = string.char(math.random(0, 255)) end local noise = table.concat(r) Artifact.store(s, "t", "noise", noise) return {Artifact.get(s, "text").content == text, Artifact.get(s, "noise").content == noise, Artifact.get(s, "text", {offset = 65535, length = 5}).content, Artifact.get(s, "text", {offset = 299998}).content, #Artifact.get(s, "text", {offset = 400000}).content}`,
    js: `${JS}const text = "0123456789".repeat(30000); Artifact.store(s, "t", "text", text); const noise = new Uint8Array(100000).map(() => Math.random() * 256); Artifact.store(s, "t", "noise", noise); const T = {encoding: "text"}; const back = Artifact.get(s, "noise").content; [Artifact.get(s, "text", T).content === text, back.length === noise.length && back.every((b, i) => b === noise[i]), Artifact.get(s, "text", {offset: 65535, length: 5, ...T}).content, Artifact.get(s, "text", {offset: 299998, ...T}).content, Artifact.get(s, "text", {offset: 400000}).content.length]`,
    expect: [true, true, '56789', '89', 0],
  },
  {
    name: 'stores a file under its name',
    lua: `${LUA}Tool.execute("file_write", {path = "big.txt", content = ("line\\n"):rep(50000)}) local m = Artifact.store_file(s, "big.txt", "text/plain", {k = 1}) local g = Artifact.get(s, "big.txt") return {m.size, m.version, #g.content, g.metadata, g.type}`,
    js: `${JS}Tool.execute("file_write", {path: "big.txt", content: "line\\n".repeat(50000)}); const m = Artifact.store_file(s, "big.txt", "text/plain", {k: 1}); const g = Artifact.get(s, "big.txt"); [m.size, m.version, g.content.length, g.metadata, g.type]`,
    expect: [250_000, 1, 250_000, { k: 1 }, 'text/plain'],
  },
  {
    name: 'stores no file outside the allowed folders',
    lua: `${LUA}Artifact.store_file(s, "/etc/passwd", "t")`,
    js: `${JS}Artifact.store_file(s, "/etc/passwd", "t")`,
    expect_error: {
      code: 'NOT_ALLOWED',
      message: 'Artifact.store_file: /etc/passwd is outside the folders that this run may read (grants.read or --allow-read DIR)',
    },
  },
  {
    name: 'stores no file that is not there',
    lua: `${LUA}Artifact.store_file(s, "none.txt", "t")`,
    js: `${JS}Artifact.store_file(s, "none.txt", "t")`,
    expect_error: { code: 'NOT_FOUND', message: 'Artifact.store_file: none.txt: there is no such file or folder' },
  },
  {
    name: 'refuses names that are paths, SQL, controls or tricks of Unicode',
    lua: `${LUA}local r = {} for i, n in ipairs({"../x", "a/b", "a\\\\b", "..", ".", "", "x'; DROP TABLE artifacts; --", 'x"y', "x\\0y", "x\\ny", "a\\u{202E}b", "a\\u{200B}b", "e\\u{301}", " x", "x ", "x.", "art_" .. ("0"):rep(24), ("x"):rep(129)}) do local ok, e = pcall(Artifact.store, s, "t", n, "c") r[i] = ok and "stored " .. n or e.code end return {r, #Artifact.list(s)}`,
    js: `${JS}[["../x", "a/b", "a\\\\b", "..", ".", "", "x'; DROP TABLE artifacts; --", 'x"y', "x\\0y", "x\\ny", "a\\u{202E}b", "a\\u{200B}b", "e\\u{301}", " x", "x ", "x.", "art_" + "0".repeat(24), "x".repeat(129)].map(n => { try { Artifact.store(s, "t", n, "c"); return "stored " + n } catch (e) { return e.code } }), Artifact.list(s).length]`,
    expect: [Array(18).fill('BAD_ARGUMENT'), 0],
  },
  {
    name: 'says what a name may be',
    lua: `${LUA}Artifact.store(s, "t", "../x", "c")`,
    js: `${JS}Artifact.store(s, "t", "../x", "c")`,
    expect_error: { code: 'BAD_ARGUMENT', message: /^Artifact\.store: name: expected a name of 1 to 128 letters, .* got "\.\.\/x"$/ },
  },
  {
    name: 'takes names in any script',
    lua: `${LUA}for _, n in ipairs({"résumé (final).pdf", "отчёт.md", "報告_1", "a+b, c @2=#3&~"}) do Artifact.store(s, "t", n, n) end return {Artifact.get(s, "отчёт.md").content, #Artifact.list(s)}`,
    js: `${JS}for (const n of ["résumé (final).pdf", "отчёт.md", "報告_1", "a+b, c @2=#3&~"]) Artifact.store(s, "t", n, n); [Artifact.get(s, "отчёт.md", {encoding: "text"}).content, Artifact.list(s).length]`,
    expect: ['отчёт.md', 4],
  },
  {
    name: 'refuses a type that is none',
    lua: `${LUA}Artifact.store(s, "a b", "n", "c")`,
    js: `${JS}Artifact.store(s, "a b", "n", "c")`,
    expect_error: { code: 'BAD_ARGUMENT', message: 'Artifact.store: type: expected 1 to 128 of A-Za-z0-9_.+/- such as report or text/markdown, got "a b"' },
  },
  {
    name: 'refuses content that is none',
    lua: `${LUA}Artifact.store(s, "t", "n", {1})`,
    js: `${JS}Artifact.store(s, "t", "n", [1])`,
    expect_error: { code: 'BAD_ARGUMENT', message: 'Artifact.store: content: expected text or bytes, got an array' },
  },
  {
    name: 'refuses a hostile session',
    lua: `Artifact.store("tenant:other", "t", "n", "c")`,
    js: `Artifact.store("tenant:other", "t", "n", "c")`,
    expect_error: { code: 'BAD_ARGUMENT', message: 'Artifact.store: session_id: expected 1 to 128 of A-Za-z0-9_.-, got "tenant:other"' },
  },
  {
    name: 'needs a session that is there',
    lua: `Artifact.store("none", "t", "n", "c")`,
    js: `Artifact.store("none", "t", "n", "c")`,
    expect_error: { code: 'NOT_FOUND', message: 'Artifact.store: there is no session none' },
  },
  {
    name: 'and one that is active, also for large content, of which nothing stays',
    lua: `${LUA}Session.complete(s) local r = {} for i, c in ipairs({"c", ("c"):rep(100000)}) do local ok, e = pcall(Artifact.store, s, "t", "n", c) r[i] = e.code .. " " .. e.details.status end return {r, #Artifact.list(s)}`,
    js: `${JS}Session.complete(s); [["c", "c".repeat(100000)].map(c => { try { Artifact.store(s, "t", "n", c) } catch (e) { return e.code + " " + e.details.status } }), Artifact.list(s).length]`,
    expect: [['CONFLICT completed', 'CONFLICT completed'], 0],
  },
  {
    name: 'an id names one version already',
    lua: `${LUA}local m = Artifact.store(s, "t", "n", "c") Artifact.get(s, m.id, {version = 1})`,
    js: `${JS}const m = Artifact.store(s, "t", "n", "c"); Artifact.get(s, m.id, {version: 1})`,
    expect_error: { code: 'BAD_ARGUMENT', message: 'Artifact.get: version: an id names one version already; give the name of the artifact instead' },
  },
  {
    name: 'gives text only of text',
    lua: `${LUA}Artifact.store(s, "t", "n", "\\255") Artifact.get(s, "n", {encoding = "text"})`,
    js: `${JS}Artifact.store(s, "t", "n", new Uint8Array([255])); Artifact.get(s, "n", {encoding: "text"})`,
    expect_error: { code: 'BAD_ARGUMENT', message: 'Artifact.get: encoding: n is no UTF-8 text; get it as "bytes"' },
  },
  ...(
    [
      ['max_count', { max_count: 1 }, '"c"', 'Artifact.store: more than artifacts.max_count = 1 artifacts of this tenant'],
      ['max_bytes', { max_bytes: 5 }, '"1234"', 'Artifact.store: more than artifacts.max_bytes = 5 bytes of artifacts of this tenant'],
      ['max_size', { max_size: 3 }, '"1234"', 'Artifact.store: content: expected at most artifacts.max_size = 3 bytes, got 4'],
    ] as const
  ).map(([name, artifacts, content, message]) => ({
    name: `keeps to artifacts.${name}`,
    lua: `${LUA}Artifact.store(s, "t", "a", ${content}) Artifact.store(s, "t", "b", ${content})`,
    js: `${JS}Artifact.store(s, "t", "a", ${content}); Artifact.store(s, "t", "b", ${content})`,
    config: { artifacts },
    expect_error: { code: 'LIMIT_EXCEEDED', message },
  })),
  {
    name: 'metadata has a bound',
    lua: `${LUA}Artifact.store(s, "t", "a", "c", {x = ("x"):rep(70000)})`,
    js: `${JS}Artifact.store(s, "t", "a", "c", {x: "x".repeat(70000)})`,
    expect_error: { code: 'LIMIT_EXCEEDED', message: /^Artifact\.store: metadata: expected at most 65536 bytes, got 700\d\d$/ },
  },
  {
    name: 'emits what is stored and deleted',
    at_once: true,
    lua: `local seen = {} Event.subscribe("artifact.*", function(e) seen[#seen + 1] = e.event_type .. " " .. tostring(e.payload.name) end) ${LUA}local m = Artifact.store(s, "t", "n", "c") Artifact.delete(s, m.id) Event.flush() return seen`,
    js: `const seen = []; Event.subscribe("artifact.*", e => { seen.push(e.event_type + " " + (e.payload.name ?? "nil")) }); ${JS}const m = Artifact.store(s, "t", "n", "c"); Artifact.delete(s, m.id); Event.flush(); seen`,
    expect: ['artifact.stored n', 'artifact.deleted nil'],
  },
  {
    name: 'works in memory too',
    lua: `${LUA}Artifact.store(s, "t", "n", ("x"):rep(100000)) local b = Session.fork(s) Session.delete(s) return {#Artifact.get(b, "n").content, Artifact.get(s, "n") == nil, #Session.list()}`,
    js: `${JS}Artifact.store(s, "t", "n", "x".repeat(100000)); const b = Session.fork(s); Session.delete(s); [Artifact.get(b, "n").content.length, Artifact.get(s, "n") === null, Session.list().length]`,
    config: { data: { backend: 'memory' } },
    expect: [100_000, true, 1],
  },
];
