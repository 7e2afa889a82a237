// A server of the library itself over standard input and output. Its behaviour at each moment is in the JSON file that it is given.
import { spawn } from 'node:child_process';
import { appendFileSync, readFileSync } from 'node:fs';
import { enableCompileCache } from 'node:module';

// Started a hundred times by the tests, with an environment of its own.
enableCompileCache();
const { Server } = await import('@modelcontextprotocol/server');
const { serveStdio } = await import('@modelcontextprotocol/server/stdio');

const [, , file, log] = process.argv;
const state = () => JSON.parse(readFileSync(file, 'utf8'));
const note = (what) => appendFileSync(log, `${what}\n`);
note(`started ${process.pid}`);
const text = (value) => ({ content: [{ type: 'text', text: value }] });

const actions = {
  add: ({ a, b }) => ({ content: [{ type: 'text', text: JSON.stringify({ sum: a + b }) }], structuredContent: { sum: a + b } }),
  say: ({ text: said }) => text(`you said ${said}`),
  picture: () => ({
    content: [
      { type: 'text', text: 'a picture' },
      { type: 'image', mimeType: 'image/png', data: Buffer.from([137, 80, 78, 71, 0, 255]).toString('base64') },
      { type: 'resource', resource: { uri: 'file:///notes.txt', mimeType: 'text/plain', text: 'notes' } },
      { type: 'resource_link', uri: 'https://example.org/', name: 'more' },
    ],
  }),
  broken: () => ({ content: [{ type: 'text', text: 'the printer is on fire' }], isError: true }),
  crash: () => process.exit(3),
  hang: (_, ctx) =>
    new Promise(() => {
      note('hanging');
      ctx.mcpReq.signal.addEventListener('abort', () => note('cancelled'));
    }),
  freeze: () => {
    note('frozen');
    for (;;);
  },
  rubbish: () => ({ content: 'this is no content' }),
  environment: () => text(JSON.stringify(process.env)),
  flood: () =>
    new Promise(() => {
      const more = () => process.stdout.write('{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"x"}}\n'.repeat(1000), more);
      more();
    }),
  chatty: async () => {
    for (let n = 0; n < 9_000; n++) process.stdout.write('{"jsonrpc":"2.0","method":"notifications/message","params":{"level":"info","data":"x"}}\n');
    return text('done');
  },
  parent: () => {
    const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'], { stdio: 'ignore' });
    return text(String(child.pid));
  },
  huge: () => text('x'.repeat(11 * 2 ** 20)),
};

serveStdio(() => {
  const server = new Server({ name: 'test', version: '1.0.0' }, { capabilities: { tools: { listChanged: true } } });
  server.setRequestHandler('tools/list', () => ({ tools: state().tools }));
  server.setRequestHandler('tools/call', ({ params }, ctx) => {
    note(`call ${params.name}`);
    return actions[params.name](params.arguments ?? {}, ctx);
  });
  if (state().watch) {
    const before = JSON.stringify(state());
    const timer = setInterval(() => {
      // Told again and again: a client of the newer protocol hears it only once it listens.
      if (JSON.stringify(state()) === before) return;
      server.sendToolListChanged().then(() => note('told'));
    }, 20);
    timer.unref();
  }
  return server;
});
