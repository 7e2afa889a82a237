import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { rolldown } from 'rolldown';
import type { Language } from '../../src/call/context.ts';
import type { Value } from '../../src/call/value.ts';
import type { ConfigInput } from '../../src/config/config.ts';
import type { ScriptError } from '../../src/errors.ts';
import { digestOf, type Offer } from '../../src/mcp/client/offer.ts';
import { mcpPins } from '../../src/mcp/client/pins.ts';
import { mcpServers } from '../../src/mcp/client/servers.ts';
import type { ExecuteOptions, RuntimeOptions } from '../../src/runtime/options.ts';
import { ScriptRuntime } from '../../src/runtime.ts';
import { ALL_GRANTS } from '../support/run.ts';

export const LANGUAGES: readonly Language[] = ['lua', 'javascript'];

type ServerInput = NonNullable<NonNullable<ConfigInput['mcp']>['servers']>[string];
type Listed = { name: string; description?: string; inputSchema: object };

const SERVER = await inOneFile('servers/tools.mjs');
const anything = { type: 'object' };

/** The tools of the test server, `servers/tools.mjs`. */
export const TOOLS: readonly Listed[] = [
  {
    name: 'add',
    description: 'Adds two numbers',
    inputSchema: { type: 'object', properties: { a: { type: 'number' }, b: { type: 'number' } }, required: ['a', 'b'], additionalProperties: false },
  },
  { name: 'say', description: 'Says it', inputSchema: { type: 'object', properties: { text: { type: 'string' } } } },
  ...['picture', 'broken', 'crash', 'hang', 'freeze', 'rubbish', 'environment', 'flood', 'chatty', 'parent', 'huge'].map((name) => ({
    name,
    description: `Does ${name}`,
    inputSchema: anything,
  })),
];

/** A program of the library's own server, whose tools and doings are in files of a temporary folder. */
export class TestServer {
  readonly folder = mkdtempSync(join(tmpdir(), 'llmspell-mcp-'));
  readonly #state = join(this.folder, 'state.json');
  readonly #log = join(this.folder, 'log');

  constructor(state: { tools?: readonly Listed[]; watch?: boolean } = {}) {
    this.offer(state.tools ?? TOOLS, state.watch);
  }

  /** What it offers from now on. */
  offer(tools: readonly Listed[], watch = false): void {
    // The server reads it now and then, and must never find half of it.
    writeFileSync(`${this.#state}.new`, JSON.stringify({ tools, watch }));
    renameSync(`${this.#state}.new`, this.#state);
  }

  settings(more: Partial<ServerInput> = {}): ServerInput {
    return { command: process.execPath, args: [SERVER, this.#state, this.#log], ...more };
  }

  /** What it has done so far: `started <pid>`, `call <tool>`, `cancelled`. */
  get log(): string[] {
    return existsSync(this.#log) ? readFileSync(this.#log, 'utf8').trim().split('\n') : [];
  }

  get pids(): number[] {
    return this.log.flatMap((line) => (line.startsWith('started ') ? [Number(line.slice(8))] : []));
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true, force: true });
  }
}

/** A runtime with these MCP servers, in a data folder of its own. */
export async function mcpRuntime(servers: Record<string, ServerInput>, more: ConfigInput = {}, options: Pick<RuntimeOptions, 'models'> = {}) {
  const folder = mkdtempSync(join(tmpdir(), 'llmspell-'));
  const runtime = await ScriptRuntime.create({
    config: { log: { level: 'silent' }, ...more, mcp: { servers } },
    dataDir: folder,
    checkResults: true,
    ...options,
  });
  return {
    runtime,
    folder,
    pins: runtime.host.get(mcpPins),
    /** Approves everything that a server offers now. */
    async approve(server: string): Promise<void> {
      const offers = await runtime.host.get(mcpServers).get(server)?.offers();
      runtime.host.get(mcpPins).approve(server, [...(offers?.tools.values() ?? [])]);
    },
    /** The value of one call of a tool out of a script. */
    async call(language: Language, tool: string, params: Value = {}, options: ExecuteOptions = {}): Promise<unknown> {
      const source = `${language === 'lua' ? 'return ' : ''}Tool.execute(INPUT.tool, INPUT.params)`;
      return (await runtime.execute(source, { language, grants: ALL_GRANTS, input: { tool, params }, ...options })).value;
    },
    async [Symbol.asyncDispose]() {
      await runtime[Symbol.asyncDispose]();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** The error that the work ends with. */
export function refusal(work: Promise<unknown>): Promise<ScriptError> {
  return work.then(
    (value) => Promise.reject(new Error(`it gave ${JSON.stringify(value)}`)),
    (error) => error,
  );
}

/** Waits until something holds; the test's own time limit ends it otherwise. */
export async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise((resolve) => setTimeout(resolve, 5));
}

export function alive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
}

/** A program of the tests with all that it imports, which starts in less time; kept in build. */
async function inOneFile(name: string): Promise<string> {
  const source = join(import.meta.dirname, name);
  const packages = join(import.meta.dirname, '../../node_modules/.package-lock.json');
  const file = join(import.meta.dirname, '../../build/test', name);
  if (existsSync(file) && [source, packages].every((path) => statSync(path).mtimeMs < statSync(file).mtimeMs)) return file;
  const program = await rolldown({ input: source, platform: 'node' });
  const fresh = `${file}.${process.pid}`;
  await program.write({ file: fresh, format: 'esm', codeSplitting: false });
  renameSync(fresh, file);
  return file;
}

/** Approves tools of the test server without asking it. */
export function offersOf(tools: readonly Listed[]): Offer[] {
  return tools.map(({ name, description = '', inputSchema }) => ({ name, description, schema: inputSchema as Offer['schema'] }));
}

export { digestOf };
