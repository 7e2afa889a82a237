// Programs that keep to the protocol badly or not at all; the argument says how.
import { createInterface } from 'node:readline';

const mode = process.argv[2];
const send = (message) => process.stdout.write(`${JSON.stringify({ jsonrpc: '2.0', ...message })}\n`);
const tools = [{ name: 'hello', description: 'Greets', inputSchema: { type: 'object' } }];

if (mode === 'ends') process.exit(1);
if (mode === 'chatter') {
  const more = () => process.stdout.write('this is no protocol\n'.repeat(10), () => setTimeout(more, 1));
  more();
}
if (mode === 'line') {
  const more = () => process.stdout.write('x'.repeat(100_000), more);
  more();
}
if (mode === 'greets') process.stdout.write('Welcome!\n\nListening on stdio.\n');

createInterface({ input: process.stdin }).on('line', (line) => {
  if (mode === 'silent' || mode === 'chatter') return;
  const { id, method } = JSON.parse(line);
  // An old server that ends when it is asked something before `initialize`.
  if (method === 'server/discover' && mode === 'old') process.exit(0);
  if (method === 'server/discover') send({ id, error: { code: -32601, message: 'Method not found' } });
  if (method === 'initialize') send({ id, result: { protocolVersion: '2025-06-18', capabilities: { tools: {} }, serverInfo: { name: 'odd', version: '1' } } });
  if (method === 'tools/list') send({ id, result: mode === 'wrong' ? { tools: 'none' } : { tools } });
  if (method === 'tools/call' && mode === 'refuses') send({ id, error: { code: -32602, message: 'bad\narguments' } });
  else if (method === 'tools/call') send({ id, result: { content: [{ type: 'text', text: 'hello' }] } });
});
