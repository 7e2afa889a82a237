import type { Server, WebStandardStreamableHTTPServerTransport } from '@modelcontextprotocol/server';
import { randomUUID } from '../../call/digest.ts';
import type { Servers } from './server.ts';

type Transport = WebStandardStreamableHTTPServerTransport;

type MakeTransport = (options: ConstructorParameters<typeof WebStandardStreamableHTTPServerTransport>[0]) => Transport;

interface Session {
  readonly server: Server;
  readonly transport: Transport;
}

/** Sessions at once, more than there are calls; of those without a call the one that was used longest ago ends for a new one. */
const MOST_SESSIONS = 100;

/** Clients of the protocol before 2026-07-28, which have sessions: a cancellation comes in a request of its own and must find the call. */
export class Sessions {
  readonly #servers: Servers;
  readonly #makeTransport: MakeTransport;
  readonly #sessions = new Map<string, Session>();

  constructor(servers: Servers, makeTransport: MakeTransport) {
    this.#servers = servers;
    this.#makeTransport = makeTransport;
  }

  /** Answers one request. */
  async handle(request: Request): Promise<Response> {
    const id = request.headers.get('mcp-session-id');
    if (id === null) return this.#begin(request);
    const session = this.#sessions.get(id);
    if (!session) return Response.json({ jsonrpc: '2.0', id: null, error: { code: -32001, message: 'Session not found' } }, { status: 404 });
    this.#sessions.delete(id);
    this.#sessions.set(id, session);
    return session.transport.handleRequest(request);
  }

  async #begin(request: Request): Promise<Response> {
    const server = this.#servers.make();
    let kept = false;
    const transport = this.#makeTransport({
      sessionIdGenerator: randomUUID,
      onsessioninitialized: (id) => {
        kept = true;
        this.#sessions.set(id, { server, transport });
        this.#endOldest();
      },
      onsessionclosed: (id) => void this.#sessions.delete(id),
    });
    await server.connect(transport);
    const response = await transport.handleRequest(request);
    if (!kept) await server.close();
    return response;
  }

  #endOldest(): void {
    if (this.#sessions.size <= MOST_SESSIONS) return;
    const oldest = this.#sessions.entries().find(([, { server }]) => !this.#servers.isBusy(server));
    if (!oldest) return;
    this.#sessions.delete(oldest[0]);
    void oldest[1].server.close();
  }

  async close(): Promise<void> {
    await Promise.all([...this.#sessions.values()].map(({ server }) => server.close()));
    this.#sessions.clear();
  }
}
