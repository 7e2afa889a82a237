import { createHash, timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { ScriptError } from '../../errors.ts';
import type { ServedTool } from './served.ts';
import { serverFactory } from './server.ts';
import { Sessions } from './sessions.ts';

export interface HttpOptions {
  readonly host: string;
  /** 0 takes a free one. */
  readonly port: number;
  /** What clients must bring as bearer token; needed unless the host is this machine itself. */
  readonly token: string | undefined;
}

export interface HttpServing {
  /** Where clients reach it, `http://127.0.0.1:8080/mcp`. */
  readonly url: string;
  close(): Promise<void>;
}

const PATH = '/mcp';
const LOOPBACK = /^(?:127(?:\.\d{1,3}){3}|::1|localhost)$/;

/** Serves over streamable HTTP. Throws BAD_CONFIG when the address cannot be used, or would be open to other machines without a token. */
export async function serveHttp(tools: readonly ServedTool[], { host, port, token }: HttpOptions): Promise<HttpServing> {
  const local = LOOPBACK.test(host);
  if (!local && token === undefined)
    throw new ScriptError('BAD_CONFIG', `--host ${host}: other machines could call the tools; set a token (--token-env NAME), or serve on 127.0.0.1`);
  const library = await import('@modelcontextprotocol/server');
  const servers = await serverFactory(tools);
  const modern = library.createMcpHandler(servers.make, { legacy: 'reject' });
  const sessions = new Sessions(servers, (options) => new library.WebStandardStreamableHTTPServerTransport(options));

  async function answer(request: Request): Promise<Response> {
    if (new URL(request.url).pathname !== PATH) return refuse(404, `there is only ${PATH}`);
    // A page in a browser can reach this machine under a name of its own (DNS rebinding).
    const rebound = local ? library.hostHeaderValidationResponse(request, library.localhostAllowedHostnames()) : undefined;
    const refused = rebound ?? library.originValidationResponse(request, library.localhostAllowedOrigins());
    if (refused) return refused;
    if (token !== undefined && !sameToken(request.headers.get('authorization'), token)) return refuse(401, 'expected the bearer token');
    return (await library.isLegacyRequest(request)) ? sessions.handle(request) : modern.fetch(request);
  }

  const server = createServer((incoming, outgoing) => {
    respond(incoming, outgoing, answer).catch(() => outgoing.destroy());
  });
  server.listen(port, host);
  try {
    await once(server, 'listening');
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    throw new ScriptError('BAD_CONFIG', `--http ${port}: ${code === 'EADDRINUSE' ? 'the port is taken' : `${host} cannot be listened on (${code})`}`);
  }
  const address = server.address() as AddressInfo;
  return {
    url: `http://${address.family === 'IPv6' ? `[${address.address}]` : address.address}:${address.port}${PATH}`,
    async close() {
      const closed = once(server, 'close');
      server.close();
      await Promise.all([modern.close(), sessions.close()]);
      server.closeAllConnections();
      await closed;
    },
  };
}

/** Node's request and response as those of the web, which the library speaks; a client that goes away aborts the request's signal. */
async function respond(incoming: IncomingMessage, outgoing: ServerResponse, answer: (request: Request) => Promise<Response>): Promise<void> {
  const gone = new AbortController();
  outgoing.once('close', () => gone.abort());
  const { method = 'GET', rawHeaders } = incoming;
  const headers = new Headers();
  for (let at = 0; at < rawHeaders.length; at += 2) headers.append(rawHeaders[at] ?? '', rawHeaders[at + 1] ?? '');
  const url = URL.parse(incoming.url ?? '/', `http://${incoming.headers.host ?? 'localhost'}`);
  if (!url) return void outgoing.writeHead(400).end();
  const body = method === 'GET' || method === 'HEAD' || method === 'DELETE' ? null : (Readable.toWeb(incoming) as ReadableStream<Uint8Array>);
  const response = await answer(new Request(url, { method, headers, body, duplex: 'half', signal: gone.signal }));
  outgoing.writeHead(response.status, Object.fromEntries(response.headers));
  outgoing.flushHeaders();
  if (!response.body) return void outgoing.end();
  await pipeline(Readable.fromWeb(response.body), outgoing);
}

function refuse(status: number, message: string): Response {
  return Response.json(
    { jsonrpc: '2.0', id: null, error: { code: -32000, message } },
    { status, ...(status === 401 && { headers: { 'www-authenticate': 'Bearer' } }) },
  );
}

function sameToken(header: string | null, token: string): boolean {
  const hash = (text: string) => createHash('sha256').update(text).digest();
  return header !== null && timingSafeEqual(hash(header), hash(`Bearer ${token}`));
}
