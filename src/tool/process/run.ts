import { type ChildProcess, spawn } from 'node:child_process';
import { ScriptError } from '../../errors.ts';

export interface ProcessOptions {
  readonly file: string;
  /** The name that the program sees as its own, and that messages tell. */
  readonly program: string;
  readonly args: readonly string[];
  readonly cwd: string;
  readonly input: Uint8Array | undefined;
  readonly timeoutMs: number;
  /** Of standard output and of standard error, each. */
  readonly maxBytes: number;
  readonly signal: AbortSignal;
}

export interface ProcessEnd {
  readonly exitCode: number | null;
  readonly signal: string | null;
  readonly stdout: Buffer;
  readonly stderr: Buffer;
  /** It wrote more than `maxBytes` and was ended for that. */
  readonly truncated: boolean;
  readonly timedOut: boolean;
}

/** After the program's end, ms, for what it has written to arrive; a child of its that left the group may hold the pipes open for ever. */
const PIPES_MS = 500;

/** Runs a program without a shell and with an empty environment; it and its whole process group are killed at the time limit, beyond the output limit and when the signal fires. */
export function runProcess({ file, program, args, cwd, input, timeoutMs, maxBytes, signal }: ProcessOptions): Promise<ProcessEnd> {
  return new Promise((resolve, reject) => {
    const windows = process.platform === 'win32';
    const env = windows && process.env.SystemRoot !== undefined ? { SystemRoot: process.env.SystemRoot } : {};
    const child = spawn(file, [...args], { argv0: program, cwd, env, shell: false, detached: !windows, windowsHide: true, stdio: 'pipe' });
    let [truncated, timedOut] = [false, false];
    const kill = () => killGroup(child);
    const [stdout, stderr] = [child.stdout, child.stderr].map((stream) => {
      const pieces: Buffer[] = [];
      let room = maxBytes;
      stream.on('data', (piece: Buffer) => {
        pieces.push(piece.subarray(0, room));
        if (piece.length > room) {
          truncated = true;
          kill();
        }
        room = Math.max(0, room - piece.length);
      });
      return pieces;
    }) as [Buffer[], Buffer[]];
    const timer = setTimeout(() => {
      timedOut = true;
      kill();
    }, timeoutMs);
    let pipes: NodeJS.Timeout | undefined;
    const finish = () => {
      clearTimeout(timer);
      clearTimeout(pipes);
      signal.removeEventListener('abort', kill);
    };
    signal.addEventListener('abort', kill, { once: true });
    child.on('error', (error: NodeJS.ErrnoException) => {
      finish();
      reject(new ScriptError('TOOL_FAILED', `process: ${program} cannot be started (${error.code})`, { details: { outcome: 'not_sent', retryable: false } }));
    });
    child.on('exit', () => {
      // What it has left behind in its group ends with it.
      kill();
      pipes = setTimeout(() => {
        child.stdout.destroy();
        child.stderr.destroy();
      }, PIPES_MS);
    });
    child.on('close', (exitCode, endSignal) => {
      finish();
      resolve({ exitCode, signal: endSignal, stdout: Buffer.concat(stdout), stderr: Buffer.concat(stderr), truncated, timedOut });
    });
    // A program that does not read its input is no failure.
    child.stdin.on('error', () => undefined);
    child.stdin.end(input);
    if (signal.aborted) kill();
  });
}

/** A signal that no program can ignore, to the program and all that it started. */
function killGroup(child: ChildProcess): void {
  if (child.pid === undefined) return;
  try {
    if (process.platform === 'win32') spawn('taskkill', ['/pid', String(child.pid), '/T', '/F'], { stdio: 'ignore', windowsHide: true });
    else process.kill(-child.pid, 'SIGKILL');
  } catch {
    // All of them have ended already.
  }
}
