import { type ChildProcessWithoutNullStreams, spawn } from 'node:child_process';
import type { deserializeMessage, JSONRPCMessage, Transport } from '@modelcontextprotocol/client';

export interface Program {
  readonly command: string;
  readonly args: readonly string[];
  /** The whole environment of the program. */
  readonly env: Readonly<Record<string, string>>;
  /** Hears each line that the program writes to its standard error. */
  readonly onLog: (line: string) => void;
}

const MOST_MESSAGE_BYTES = 10 * 2 ** 20;
/** What a server may send without being asked anything in between. */
const MOST_UNASKED_BYTES = 64 * 2 ** 20;
const MOST_UNASKED_MESSAGES = 10_000;
/** Lines that are no messages; some servers greet on standard output. */
const MOST_RUBBISH_LINES = 100;
/** What may wait to be read by the program. */
const MOST_UNREAD_BYTES = 16 * 2 ** 20;
const MOST_LOG_CHARACTERS = 1_000;
const NEWLINE = 10;
/** How long a server has to end by itself when its input has ended, and then after SIGTERM. */
const END_MS = 1_000;
const TERMINATE_MS = 1_000;

/** Nothing was sent, since the program has ended; the connection may not have heard of it yet. */
export class ServerEnded extends Error {}

/** Messages over the pipes of a program of its own process group: bounded in size and number, and the whole group ends with the connection. */
export class StdioTransport implements Transport {
  onclose?: () => void;
  onerror?: (error: Error) => void;
  onmessage?: (message: JSONRPCMessage) => void;
  /** Why the connection ended, as the rest of a sentence about the server. */
  problem: string | undefined;
  readonly #program: Program;
  readonly #parse: typeof deserializeMessage;
  #child: ChildProcessWithoutNullStreams | undefined;
  #pieces: Buffer[] = [];
  #size = 0;
  #unaskedBytes = 0;
  #unaskedMessages = 0;
  #rubbish = 0;
  #ended: Promise<void> | undefined;

  constructor(program: Program, parse: typeof deserializeMessage) {
    this.#program = program;
    this.#parse = parse;
  }

  /** The library takes what has these two for a program, whose silence about newer protocols means an older one. */
  get pid(): number | null {
    return this.#child?.pid ?? null;
  }
  get stderr(): null {
    return null;
  }

  start(): Promise<void> {
    const { command, args, env, onLog } = this.#program;
    // A group of its own, so that what the program starts itself ends with it.
    const child = spawn(command, args, { env: { ...env }, stdio: 'pipe', detached: process.platform !== 'win32', windowsHide: true });
    this.#child = child;
    child.stdout.on('data', (chunk: Buffer) => this.#read(chunk));
    child.stderr.setEncoding('utf8').on('data', lines(onLog));
    for (const stream of [child.stdin, child.stdout, child.stderr]) stream.on('error', (error) => this.onerror?.(error));
    this.#ended = new Promise((done) => {
      child.once('close', done);
      child.once('exit', () => {
        this.killGroup('SIGKILL');
        // A helper that has left the group may hold the pipes open.
        setTimeout(done, END_MS).unref();
      });
      child.once('error', () => done());
    });
    this.#ended.then(() => {
      const { exitCode, signalCode } = child;
      this.problem ??= signalCode ? `was ended by ${signalCode}` : exitCode === null ? 'has ended' : `ended with status ${exitCode}`;
      for (const stream of [child.stdin, child.stdout, child.stderr]) stream.destroy();
      this.#child = undefined;
      this.onclose?.();
    });
    return new Promise((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (error: NodeJS.ErrnoException) => {
        this.problem ??= error.code === 'ENOENT' ? 'cannot be started: there is no such program' : `cannot be started (${error.code})`;
        reject(error);
      });
    });
  }

  async send(message: JSONRPCMessage): Promise<void> {
    const child = this.#child;
    if (!child?.stdin.writable) throw new ServerEnded('the server has ended');
    this.#unaskedBytes = 0;
    this.#unaskedMessages = 0;
    child.stdin.write(`${JSON.stringify(message)}\n`);
    if (child.stdin.writableLength > MOST_UNREAD_BYTES) this.#fail('does not read what it is sent');
  }

  /** Asks the program to end by ending its input, then by signals. */
  async close(): Promise<void> {
    const child = this.#child;
    if (!child || !this.#ended) return;
    child.stdin.end();
    if (await within(this.#ended, END_MS)) return;
    this.killGroup('SIGTERM');
    if (await within(this.#ended, TERMINATE_MS)) return;
    this.killGroup('SIGKILL');
    await this.#ended;
  }

  /** Sends a signal to the program and all it has started. */
  killGroup(signal: NodeJS.Signals): void {
    const pid = this.#child?.pid;
    if (pid === undefined) return;
    try {
      if (process.platform === 'win32') this.#child?.kill(signal);
      else process.kill(-pid, signal);
    } catch {
      // It has ended already.
    }
  }

  #read(chunk: Buffer): void {
    if (this.problem !== undefined) return;
    this.#unaskedBytes += chunk.length;
    if (this.#unaskedBytes > MOST_UNASKED_BYTES) return this.#fail('sends without end what nobody asked for');
    let start = 0;
    for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, start)) {
      const line = this.#size === 0 ? chunk.subarray(start, at) : Buffer.concat([...this.#pieces, chunk.subarray(start, at)]);
      this.#pieces = [];
      this.#size = 0;
      start = at + 1;
      this.#line(line);
      if (this.problem !== undefined) return;
    }
    if (start === chunk.length) return;
    this.#pieces.push(chunk.subarray(start));
    this.#size += chunk.length - start;
    if (this.#size > MOST_MESSAGE_BYTES) this.#fail(`sent a message of more than ${MOST_MESSAGE_BYTES / 2 ** 20} MB`);
  }

  #line(line: Buffer): void {
    if (line.length > MOST_MESSAGE_BYTES) return this.#fail(`sent a message of more than ${MOST_MESSAGE_BYTES / 2 ** 20} MB`);
    const text = line.toString('utf8').trim();
    if (text === '') return;
    if (++this.#unaskedMessages > MOST_UNASKED_MESSAGES) return this.#fail('sends without end what nobody asked for');
    let message: JSONRPCMessage;
    try {
      message = this.#parse(text);
    } catch {
      if (++this.#rubbish > MOST_RUBBISH_LINES) this.#fail('writes text to its standard output that is no MCP');
      return;
    }
    try {
      this.onmessage?.(message);
    } catch (error) {
      this.onerror?.(error instanceof Error ? error : new Error(String(error)));
    }
  }

  /** Ends a server that does not keep to the protocol. */
  #fail(problem: string): void {
    if (this.problem !== undefined) return;
    this.problem = problem;
    this.#pieces = [];
    this.onerror?.(new Error(problem));
    this.killGroup('SIGKILL');
  }

  /** Lines on standard output so far that were no messages. */
  get rubbish(): number {
    return this.#rubbish;
  }
}

async function within(work: Promise<void>, ms: number): Promise<boolean> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<false>((done) => {
    timer = setTimeout(done, ms, false);
  });
  const ended = await Promise.race([work.then(() => true as const), late]);
  clearTimeout(timer);
  return ended;
}

function lines(onLine: (line: string) => void): (text: string) => void {
  let rest = '';
  return (text) => {
    const all = (rest + text).split('\n');
    rest = (all.pop() ?? '').slice(0, MOST_LOG_CHARACTERS);
    for (const line of all) if (line.trim() !== '') onLine(line.slice(0, MOST_LOG_CHARACTERS));
  };
}
