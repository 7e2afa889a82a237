import { afterAll, expect, it } from 'vitest';
import { testRuntime } from '../support/runtime.ts';

const test = await testRuntime();
afterAll(() => test[Symbol.asyncDispose]());

const failure = (language: 'lua' | 'javascript', text: string) =>
  test.runtime.execute(text, { language }).then(
    () => '',
    (error: Error) => error.message,
  );

it.each([
  ['RAG.ingest({})', 'did you mean RAG.ingest_documents?'],
  ['State.svae("global", "a", 1)', 'did you mean State.save?'],
  ['Agnt.create({})', 'did you mean Agent?'],
  ['json.stringify(1)', 'did you mean JSON?'],
])('a global or method that is not there: %s', async (text, hint) => {
  expect(await failure('lua', text)).toMatch(new RegExp(`^attempt to (call|index) a nil value \\(.*\\); ${hint.replace('?', '\\?')}$`));
  expect(await failure('javascript', text)).toMatch(new RegExp(`^(TypeError|ReferenceError): .*; ${hint.replace('?', '\\?')}$`));
});

it('a method of a handle, behind its first line too', async () => {
  expect(await failure('lua', 'local a = Agent.create({model = "local/extractive"})\na:exceute("x")')).toMatch(/; did you mean execute\?$/);
  expect(await failure('javascript', 'const a = Agent.create({model: "local/extractive"})\na.exceute("x")')).toMatch(/; did you mean execute\?$/);
});

it('a method that is begun', async () => {
  expect(await failure('lua', 'Agent.create({model = "local/extractive"}):exec("x")')).toMatch(/; did you mean execute\?$/);
  expect(await failure('javascript', 'const a = Agent.create({model: "local/extractive"}); a.exec("x")')).toMatch(/; did you mean execute\?$/);
});

it('behind arguments that have places of their own', async () => {
  expect(await failure('javascript', 'const p = Tool.list();\nTool.exec("x", p.length)')).toBe(
    'TypeError: Tool.exec is not a function; did you mean Tool.execute?',
  );
  expect(await failure('javascript', 'const x = 5;\nx(Tool.list())')).toBe('TypeError: x is not a function');
  expect(await failure('javascript', '{ const Tool = {};\nTool.list() }')).toBe('TypeError: Tool.list is not a function');
});

it('nothing is meant where nothing is near', async () => {
  expect(await failure('lua', 'local t = {} t:nothing()')).toMatch(/\(method 'nothing'\)$/);
  expect(await failure('lua', 'quux()')).toMatch(/\(global 'quux'\)$/);
  expect(await failure('javascript', 'quux()')).toMatch(/quux is not defined$/);
});

it('in a line of any length', async () => {
  expect(await failure('lua', `local s = "${'a'.repeat(400_000)}" local t = {} t.foo()`)).toMatch(/\(field 'foo'\)$/);
  expect(await failure('lua', `local s = "${'a'.repeat(400_000)}" State . svae("a", 1)`)).toMatch(/; did you mean State.save\?$/);
});

it('in a session too', async () => {
  await using session = test.runtime.openSession({ language: 'lua' });
  await expect(session.evaluate('1 + 1\n')).resolves.toBe('2');
  await expect(session.evaluate('State.svae("a", 1)')).rejects.toThrow('did you mean State.save?');
});
