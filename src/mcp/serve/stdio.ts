import { once } from 'node:events';
import { Writable } from 'node:stream';
import type { StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import type { ServedTool } from './served.ts';
import { serverFactory } from './server.ts';

const MOST_TEXT = 300;

/** Serves over this process's own standard input and output until the input ends or the signal fires. Everything else that is written to standard output goes to standard error. */
export async function serveStdio(tools: readonly ServedTool[], signal: AbortSignal): Promise<void> {
  const { make } = await serverFactory(tools);
  const library = await import('@modelcontextprotocol/server/stdio');
  const transport = new library.StdioServerTransport(process.stdin, takeOverOutput());
  const ended = Promise.race([once(process.stdin, 'end'), once(process.stdin, 'close'), once(signal, 'abort'), closed(transport)]);
  const onerror = ({ message }: Error) => void process.stderr.write(`mcp: ${message.replaceAll(/\s+/g, ' ').slice(0, MOST_TEXT)}\n`);
  const handle = library.serveStdio(make, { transport, onerror });
  await ended;
  await handle.close();
}

/** Resolves when the transport closes by itself, as it does at a message that is too long. */
function closed(transport: StdioServerTransport): Promise<void> {
  return new Promise((done) => {
    const close = transport.close.bind(transport);
    transport.close = () => {
      done();
      return close();
    };
  });
}

/** A stream to the real standard output, which from now on nobody else can write to. */
function takeOverOutput(): Writable {
  const { stdout, stderr } = process;
  const write = stdout.write.bind(stdout);
  stdout.write = stderr.write.bind(stderr);
  stdout.on('error', () => undefined);
  return new Writable({ write: (chunk, _encoding, done) => void write(chunk, () => done()) });
}
