import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { afterAll, describe, expect, it } from 'vitest';
import { runRepl } from '../../src/cli/repl.ts';
import { complete } from '../../src/cli/repl-complete.ts';
import { globals } from '../../src/globals/index.ts';
import { BIN, environment, llmspell } from '../support/command-line.ts';

const folder = mkdtempSync(join(tmpdir(), 'llmspell-repl-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** A desk and what was shown there. */
function atDesk(terminal: boolean) {
  const [input, output, errors] = [new PassThrough(), new PassThrough(), new PassThrough()];
  const text = (stream: PassThrough) => String(stream.read() ?? '');
  return { desk: { input, output, errors, terminal }, output: () => text(output), errors: () => text(errors) };
}

const repl = (lang: string, input: string, ...flags: string[]) => llmspell(folder, ['repl', '--lang', lang, ...flags], { input });

describe.each(['lua', 'js'] as const)('llmspell repl --lang %s', { timeout: 60_000 }, (lang) => {
  const text = (lua: string, js: string) => (lang === 'lua' ? lua : js);

  it('prints what lines come to, over several lines where code goes on', async () => {
    const input = text(
      'x = 20\n= x + 1\nfunction f(n)\n\n  return n * 2\nend\nf(21)\n{a = 1}\nprint("out")\n',
      'let x = 20\nx + 1\nfunction f(n) {\n\n  return n * 2\n}\nf(21)\n({a: 1})\nprint("out")\n',
    );
    const { stdout, stderr, status } = await repl(lang, input);
    expect(stdout).toBe(text('21\n42\n{a = 1}\nout\n', '21\n42\n{ a: 1 }\nout\n'));
    expect(stderr).toBe('');
    expect(status).toBe(0);
  });

  it('ends at the first error of a pipe, as node and python do', async () => {
    const { stdout, stderr, status } = await repl(
      lang,
      text('7\nlocal function f() error("bad") end f()\n8', '7\nfunction f() { throw new Error("bad") } f()\n8'),
    );
    expect(stderr).toMatch(/^error: repl\[2\]:1: bad \(SCRIPT_ERROR\)\n(?: {2}.*\n)+$/);
    expect(stdout).toBe('7\n');
    expect(status).toBe(1);
  });

  it.each<[input: string, said: RegExp, status: number]>([
    [text('x = )\n7', 'x = )\n7'), /^error: repl\[1\]:1.*\(SYNTAX_ERROR\)\n$/, 1],
    [text('if x then', 'if (x) {'), /^error: repl\[1\]:1.*\(SYNTAX_ERROR\)\n$/, 1],
    [`.load none.${lang}\n7`, /^error: none\..*: there is no such script\n$/, 1],
    ['.nope\n7', /^there is no command \.nope; \.help lists all\n$/, 1],
  ])('gives the status of what went wrong in a pipe: %j', async (input, said, status) => {
    const { desk, output, errors } = atDesk(false);
    desk.input.end(input);
    expect(await runRepl(lang === 'lua' ? 'lua' : 'javascript', [], { data: join(folder, 'piped') }, desk)).toBe(status);
    expect(errors()).toMatch(said);
    expect(output()).toBe('');
  });

  it('ends well where somebody types, whatever went wrong, also when the input ends while a line runs', async () => {
    const { desk, errors } = atDesk(true);
    desk.input.end(text('sleep(1) error("bad")\n', 'sleep(1); throw new Error("bad")\n'));
    expect(await runRepl(lang === 'lua' ? 'lua' : 'javascript', [], { data: join(folder, 'typed') }, desk)).toBe(0);
    expect(errors()).toContain('bad (SCRIPT_ERROR)');
  });

  it('takes the options of a run', async () => {
    writeFileSync(join(folder, 'note.txt'), 'read me');
    const { stdout } = await repl(
      lang,
      text(
        'INPUT.n, ARGS[1]\nTool.execute("file_read", {path = "note.txt"}).content\nAgent.execute({model = "openai/gpt-4", prompt = "Who?", context = "Ada wrote it."}).model\nState.save("global", "k", 5)\n',
        '[INPUT.n, ARGS[0]]\nTool.execute("file_read", {path: "note.txt"}).content\nAgent.execute({model: "openai/gpt-4", prompt: "Who?", context: "Ada wrote it."}).model\nState.save("global", "k", 5)\n',
      ),
      ...['--input', '{"n": 3}', '--model', 'local/extractive', '--tenant', 'ada', '--data', 'data', 'first'],
    );
    expect(stdout.split('\n').slice(0, 3)).toEqual([text('3\t"first"', '[3, "first"]'), '"read me"', '"local/extractive"']);
    const load = 'State.load("global", "k")\n';
    expect((await repl(lang, load, '--tenant', 'ada', '--data', 'data')).stdout).toBe('5\n');
    expect((await repl(lang, load, '--data', 'data')).stdout).toBe(text('nil\n', 'null\n'));
  });

  it('knows its commands', async () => {
    const file = `part.${lang}`;
    writeFileSync(join(folder, file), text('loaded = 8 return "from the file"', 'globalThis.loaded = 8; "from the file"'));
    const input = `.load ${file}\nloaded\n.clear\nloaded === undefined\n.types State.save\n.exit\n1\n`.replace(
      'loaded === undefined',
      text('loaded == nil', 'typeof loaded === "undefined"'),
    );
    const { stdout, stderr, status } = await repl(lang, input);
    expect(stdout).toMatch(/^"from the file"\n8\ntrue\nState\.save\(scope, key, value, options\?\)\n/);
    expect(stdout).toContain('ttl_ms?');
    expect(stderr).toBe('a new session\n');
    expect(status).toBe(0);
    expect(await repl(lang, '.types Nothing\n')).toMatchObject({ status: 1, stderr: 'there is no Nothing; .help lists all globals\n' });
    expect((await repl(lang, '.help\n')).stdout).toContain(text('a local ends with its line', 'those of `let`, `const`'));
  });

  it('ends at Ctrl-C as a script does where nobody types', async () => {
    const child = spawn(process.execPath, [BIN, 'repl', '--lang', lang], { cwd: folder, env: environment(folder) });
    let [stdout, stderr] = ['', ''];
    child.stdout.on('data', (data) => {
      stdout += data;
      if (String(data).includes('endless')) child.kill('SIGINT');
    });
    child.stderr.on('data', (data) => {
      stderr += data;
    });
    child.stdin.end(text('print("endless") while true do end\n7\n', 'print("endless"); for (;;);\n7\n'));
    expect(await new Promise((done) => child.once('exit', done))).toBe(130);
    expect(stderr).toBe('interrupted\n');
    expect(stdout).toBe('endless\n');
  });

  describe('at a terminal', () => {
    const CTRL_C = '\x03';
    const CTRL_D = '\x04';

    /** A desk whose keys are pressed one after the other, each when what came before shows. */
    async function sit(steps: readonly (readonly [after: string, keys: string])[], dataDir: string): Promise<string> {
      const [input, output, errors] = [new PassThrough(), new PassThrough(), new PassThrough()];
      let seen = '';
      let all = '';
      const waiting = [...steps];
      const look = (data: Buffer) => {
        seen += data;
        all += data;
        const next = waiting[0];
        if (!next || !seen.includes(next[0])) return;
        waiting.shift();
        seen = '';
        setImmediate(() => input.write(next[1]));
      };
      output.on('data', look);
      errors.on('data', look);
      const status = await runRepl(lang === 'lua' ? 'lua' : 'javascript', [], { data: dataDir }, { input, output, errors, terminal: true });
      expect(status).toBe(0);
      expect(waiting).toEqual([]);
      return all;
    }

    it('prompts, asks for more, is interrupted by Ctrl-C and left by Ctrl-D, and remembers', async () => {
      const dataDir = join(folder, `terminal-${lang}`);
      const prompt = `${lang}> `;
      await sit(
        [
          [prompt, text('x = 41\r', 'let x = 41\r')],
          [prompt, text('print("go") while true do end\r', 'print("go"); for (;;);\r')],
          ['\ngo\n', CTRL_C],
          ['interrupted', ''],
          [prompt, text('if x then\r', 'if (x) {\r')],
          ['...> ', CTRL_C],
          [prompt, 'x + 1\r'],
          ['\n42\n', ''],
          [prompt, CTRL_D],
        ],
        dataDir,
      );
      const history = readFileSync(join(dataDir, `history.${lang === 'lua' ? 'lua' : 'javascript'}`), 'utf8');
      expect(history.trim().split('\n')).toEqual([
        text('x = 41', 'let x = 41'),
        expect.stringContaining('print("go")'),
        text('if x then', 'if (x) {'),
        'x + 1',
      ]);
      // Arrow up brings the last line of the last session back.
      const again = await sit(
        [
          [prompt, '\x1b[A'],
          ['x + 1', `\x15"up"\r`],
          ['\n"up"\n', ''],
          [prompt, CTRL_D],
        ],
        dataDir,
      );
      expect(again).toContain('x + 1');
    });

    it('shows what a value or an error would make the terminal do, and obeys colours only', async () => {
      const prompt = `${lang}> `;
      const shown = await sit(
        [
          [prompt, text('print("\\27[31mred\\27[0m \\27]52;c;QQ==\\7")\r', 'print("\\x1b[31mred\\x1b[0m \\x1b]52;c;QQ==\\x07")\r')],
          ['red\x1b[0m', ''],
          [prompt, text('error("\\27[2Jgone", 0)\r', 'throw new Error("\\x1b[2Jgone")\r')],
          ['\\u{1b}[2Jgone', ''],
          [prompt, CTRL_D],
        ],
        join(folder, `escapes-${lang}`),
      );
      expect(shown).toContain('\x1b[31mred\x1b[0m \\u{1b}]52;c;QQ==\\u{7}');
      expect(shown).not.toContain('\x1b]52');
      expect(shown).not.toContain('\x1b[2J');
    });

    it('completes with Tab and lists what there is with its doc', async () => {
      const shown = await sit(
        [
          [`${lang}> `, 'Hook.l\t'],
          ['Hook.list', '\t'],
          ['Every point that the runtime fires, with when.', '\x15'],
          ['', CTRL_D],
        ],
        join(folder, `tab-${lang}`),
      );
      expect(shown).toMatch(/list +The hooks that apply, in the order in which they run/);
    });
  });
});

describe('completion', () => {
  const found = (language: 'lua' | 'javascript', line: string) => complete(globals, language, line).found.map(({ text }) => text);

  it.each([
    ['Ag', ['Agent']],
    ['x = Wor', ['Workflow']],
    ['Hook.pa', ['pause']],
    ['print(State.sa', ['save']],
    ['.he', ['.help']],
    ['.types Event.fl', ['flush']],
    ['Nope.x.y.z.q', []],
  ])('%s', (line, wanted) => {
    for (const language of ['lua', 'javascript'] as const) expect(found(language, line)).toEqual(wanted);
  });

  it('offers options of the call that is open, with what they are', () => {
    expect(found('lua', 'Agent.create({mo')).toEqual(['model']);
    expect(found('lua', 'Agent.create{name = "a", max_s')).toEqual(['max_steps']);
    expect(found('javascript', 'Agent.create({name: "a", max_s')).toEqual(['max_steps']);
    expect(found('javascript', 'Hook.register("a", f, {on_')).toEqual(['on_error']);
    expect(found('lua', 'Agent.create({name = Ag')).toEqual(['Agent']);
    const [option] = complete(globals, 'lua', 'Event.subscribe("a", f, {max_q').found;
    expect(option?.doc).toMatch(/^events that wait while the handler is busy/);
  });

  it("offers a handle's methods as the language writes them", () => {
    expect(found('lua', 'agent:exec')).toContain('execute');
    expect(found('javascript', 'agent.exec')).toContain('execute');
    expect(found('lua', 'JSON.par')).toEqual(['parse']);
    expect(found('javascript', 'JSO')).toEqual([]);
  });
});
