import { once } from 'node:events';
import { Transform, Writable } from 'node:stream';
import type { StdioServerTransport } from '@modelcontextprotocol/server/stdio';
import type { ServedTool } from './served.ts';
import { serverFactory } from './server.ts';

const MOST_MESSAGE_BYTES = 10 * 2 ** 20;
const NEWLINE = 10;
const MOST_TEXT = 300;

/** Serves over this process's own standard input and output until the input ends or the signal fires. Everything else that is written to standard output goes to standard error. */
export async function serveStdio(tools: readonly ServedTool[], signal: AbortSignal): Promise<void> {
  const { make } = await serverFactory(tools);
  const library = await import('@modelcontextprotocol/server/stdio');
  const transport = new library.StdioServerTransport(process.stdin.pipe(wholeMessages()), takeOverOutput());
  const ended = Promise.race([once(process.stdin, 'end'), once(process.stdin, 'close'), once(signal, 'abort'), closed(transport)]);
  const onerror = ({ message }: Error) => void process.stderr.write(`mcp: ${message.replaceAll(/\s+/g, ' ').slice(0, MOST_TEXT)}\n`);
  const handle = library.serveStdio(make, { transport, onerror });
  await ended;
  await handle.close();
}

/** Passes messages on whole: the library copies all that it has of one for each piece that comes. One that is too long is an error. */
function wholeMessages(): Transform {
  let pieces: Buffer[] = [];
  let size = 0;
  return new Transform({
    transform(chunk: Buffer, _encoding, done) {
      let start = 0;
      for (let at = chunk.indexOf(NEWLINE); at !== -1; at = chunk.indexOf(NEWLINE, start)) {
        this.push(Buffer.concat([...pieces, chunk.subarray(start, at + 1)]));
        pieces = [];
        size = 0;
        start = at + 1;
      }
      pieces.push(chunk.subarray(start));
      size += chunk.length - start;
      done(size > MOST_MESSAGE_BYTES ? new Error(`a message of more than ${MOST_MESSAGE_BYTES / 2 ** 20} MB`) : null);
    },
  });
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
