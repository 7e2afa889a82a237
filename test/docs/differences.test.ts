import { describe, expect, it } from 'vitest';
import { testRuntime } from '../support/runtime.ts';

const LONG = 'x'.repeat(80);

/** Rows of the table of differences between the languages: what each prints, or the error it ends with. */
const ROWS: readonly { name: string; lua: readonly [code: string, prints: string]; javascript: readonly [code: string, prints: string] }[] = [
  {
    name: 'a long list is printed on one line, or a line for each item',
    lua: [`print({1, "${LONG}"})`, `{1, "${LONG}"}`],
    javascript: [`print([1, "${LONG}"])`, `[\n  1,\n  "${LONG}"\n]`],
  },
  {
    name: 'a handle is printed with its name, or with its fields',
    lua: ['print(Agent.create({name = "b", model = "local/extractive"}))', 'Agent b'],
    javascript: ['print(Agent.create({name: "b", model: "local/extractive"}))', 'Agent { name: "b", model: "local/extractive", description: "" }'],
  },
  {
    name: 'a method of a global can be replaced, or stays, which strict code is told',
    lua: ['State.save = function() return "patched" end print(State.save("global", "key", 1))', 'patched'],
    javascript: [
      'State.save = () => "patched"; print(State.save("global", "key", 1)); try { (class { static { State.save = 1 } }) } catch (error) { print(error.name) }',
      'null\nTypeError',
    ],
  },
  {
    name: 'a field of a handle cannot be set, which strict code is told',
    lua: ['print((select(2, pcall(function() Tool.get("uuid").name = "other" end))))', 'main.lua:1: the Tool handle cannot be changed (name)'],
    javascript: [
      'const tool = Tool.get("uuid"); tool.name = "other"; print(tool.name); try { (class { static { tool.name = "other" } }) } catch (error) { print(error.name) }',
      'uuid\nTypeError',
    ],
  },
];

describe.each(['lua', 'javascript'] as const)('differences in %s', (language) => {
  it.each(ROWS)('$name', async (row) => {
    await using test = await testRuntime();
    const [code, prints] = row[language];
    const { output } = await test.runtime.execute(code, { language, grants: test.grants });
    expect(output.join('\n')).toBe(prints);
  });

  it('a method that was replaced is there again in the next run', async () => {
    await using test = await testRuntime();
    const patch = { lua: 'State.save = nil', javascript: 'State.save = undefined' };
    await test.runtime.execute(patch[language], { language });
    await expect(test.runtime.execute('State.save("global", "key", 1)', { language })).resolves.toBeDefined();
  });
});

describe.each(['lua', 'javascript'] as const)('scopes of tenants in %s', (language) => {
  const script = `
State.save("global", "key", "global")
State.save("tenant:acme", "key", "tenant")
RAG.ingest_documents("global", ${language === 'lua' ? '{{content = "The ferry leaves at noon."}}' : '[{content: "The ferry leaves at noon."}]'})`;
  const looked = `print(State.load("global", "key"), State.load("tenant:acme", "key"))
print(State.exists("global", "key"), RAG.get_stats("tenant:acme").document_count)`;

  it('in State tenant:ID is a scope beside global, in RAG it is the same knowledge', async () => {
    await using test = await testRuntime();
    await test.runtime.execute(script, { language, tenant: 'acme', grants: test.grants });
    const own = await test.runtime.execute(looked, { language, tenant: 'acme', grants: test.grants });
    const other = await test.runtime.execute(looked, { language, tenant: 'other', grants: { ...test.grants, tenants: ['acme'] } });
    const read = (lines: readonly string[]) => lines.map((line) => line.split(/[\t ]/));
    expect(read(own.output)).toEqual([
      ['global', 'tenant'],
      ['true', '1'],
    ]);
    expect(read(other.output)).toEqual([
      [language === 'lua' ? 'nil' : 'null', 'tenant'],
      ['false', '1'],
    ]);
  });
});
