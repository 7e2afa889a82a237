import type { Callback } from '../call/value.ts';
import type { ScriptRuntime } from '../runtime.ts';
import { visible } from './visible.ts';

const FRAMES = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];
const EVERY_MS = 100;
/** Answers that come sooner show nothing. */
const SHOW_AFTER_MS = 300;

/** Where the line is drawn: standard error. */
export interface Terminal {
  readonly isTTY?: boolean;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

/** On a terminal, a line that tells which agents are at work, below what the script prints. */
export function progress(
  runtime: ScriptRuntime,
  terminal: Terminal = process.stderr,
  output: Pick<Terminal, 'write' | 'isTTY'> = process.stdout,
): { print(text: string): void; clear(): void } {
  const print = (text: string) => void output.write(`${visible(text, output)}\n`);
  if (!terminal.isTTY) return { print, clear: () => undefined };
  const working = new Map<string, number>();
  let timer: NodeJS.Timeout | undefined;
  let frame = 0;
  let shown = false;
  const wipe = () => {
    if (shown) terminal.write('\r\x1b[2K');
    shown = false;
  };
  const draw = () => {
    wipe();
    const now = performance.now();
    const names = [...working].filter(([, since]) => now - since > SHOW_AFTER_MS).map(([name, since]) => `${name} ${Math.round((now - since) / 1000)} s`);
    if (names.length === 0) return;
    terminal.write(`${FRAMES[frame++ % FRAMES.length]} ${names.join(', ')}`.slice(0, (terminal.columns ?? 80) - 1));
    shown = true;
  };
  const change = (name: string, since: number | undefined) => {
    if (since === undefined) working.delete(name);
    else working.set(name, since);
    if (working.size > 0) timer ??= setInterval(draw, EVERY_MS);
    else {
      clearInterval(timer);
      timer = undefined;
      wipe();
    }
  };
  runtime.on('agent.*.started', ({ event_type }) => change(event_type.split('.')[1] ?? '', performance.now()));
  runtime.on('agent.*.completed', ({ event_type }) => change(event_type.split('.')[1] ?? '', undefined));
  runtime.on('agent.*.failed', ({ event_type }) => change(event_type.split('.')[1] ?? '', undefined));
  return {
    print(text) {
      wipe();
      print(text);
    },
    clear() {
      clearInterval(timer);
      wipe();
    },
  };
}

/** Tells how far long work is, on standard error: one line that changes on a terminal, line after line elsewhere if `wanted`. */
export function progressLine(wanted = false): { readonly callback: Callback; clear(): void } {
  const { isTTY } = process.stderr;
  let shown = false;
  return {
    callback(done, total) {
      if (isTTY) process.stderr.write(`\r\x1b[2K${done} of ${total}`);
      else if (wanted) process.stderr.write(`${done} of ${total}\n`);
      shown = isTTY;
      return null;
    },
    clear() {
      if (shown) process.stderr.write('\r\x1b[2K');
      shown = false;
    },
  };
}
