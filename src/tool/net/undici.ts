import { loadedOnce } from '../../call/load.ts';

/** What the files below need of Node, of which some takes 10 ms. */
const BUILTINS = ['node:stream/web', 'node:crypto', 'node:tls', 'node:zlib', 'node:http', 'node:http2'];

/** The client for HTTP: the two parts of undici that are used. The whole of it would hold the event loop for 80 ms. */
export const loadUndici = loadedOnce(
  ...BUILTINS.map((name) => () => process.getBuiltinModule(name)),
  () => import('undici/lib/dispatcher/client-h1.js'),
  () => import('undici/lib/dispatcher/agent.js'),
  () => import('undici/lib/web/fetch/body.js'),
  async () => ({
    Agent: (await import('undici/lib/dispatcher/agent.js')).default,
    fetch: (await import('undici/lib/web/fetch/index.js')).fetch,
  }),
);
