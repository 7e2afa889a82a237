import { once } from 'node:events';
import { Writable } from 'node:stream';
import type { ServedTool } from './served.ts';
import { serverFactory } from './server.ts';

/** Serves over this process's own standard input and output until the input ends or the signal fires. Everything else that is written to standard output goes to standard error. */
export async function serveStdio(tools: readonly ServedTool[], signal: AbortSignal): Promise<void> {
  const factory = await serverFactory(tools);
  const library = await import('@modelcontextprotocol/server/stdio');
  const transport = new library.StdioServerTransport(process.stdin, takeOverOutput());
  const ended = Promise.race([once(process.stdin, 'end'), once(process.stdin, 'close'), once(signal, 'abort')]);
  const handle = library.serveStdio(factory, { transport, onerror: (error) => void process.stderr.write(`mcp: ${error.message}\n`) });
  await ended;
  await handle.close();
}

/** A stream to the real standard output, which from now on nobody else can write to. */
function takeOverOutput(): Writable {
  const { stdout, stderr } = process;
  const write = stdout.write.bind(stdout);
  stdout.write = stderr.write.bind(stderr);
  stdout.on('error', () => undefined);
  return new Writable({ write: (chunk, _encoding, done) => void write(chunk, () => done()) });
}
