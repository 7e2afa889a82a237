import type { Client, Transport } from '@modelcontextprotocol/client';
import type { McpServerConfig } from '../../config/config.ts';
import { mcpFailed, translateFailure } from './failure.ts';
import { boundedFetch } from './http.ts';
import { type Offers, readOffers } from './offer.ts';
import { serverEnvironment, serverHeaders } from './settings.ts';
import { StdioTransport } from './stdio.ts';

type CallToolResult = Awaited<ReturnType<Client['callTool']>>;

/** A server that has answered. */
export interface Connection {
  /** True when the connection has ended. */
  readonly closed: boolean;
  /** Why it ended, where that is known. */
  readonly problem: string | undefined;
  /** What the server offers now, or an error after the time. */
  list(timeoutMs: number): Promise<Offers>;
  call(tool: string, args: Record<string, unknown>, signal: AbortSignal): Promise<CallToolResult>;
  close(): Promise<void>;
}

export interface ConnectOptions {
  readonly onLog: (line: string) => void;
  /** A program is about to be started, which `kill` ends at once and without waiting. */
  readonly onStart: (kill: () => void) => void;
  /** The server says that its tools are others than they were. */
  readonly onListChanged: () => void;
}

/** How long a program may be silent about the newer protocol before it is taken to speak the older one. */
const PROBE_MS = 3_000;
const MOST_PAGES = 20;
/** The library ends no call before the registry's own time is over. */
const NO_TIMEOUT_MS = 2 ** 31 - 1;

/** Starts or reaches a server and agrees on the protocol; throws TOOL_FAILED or BAD_CONFIG. */
export async function connect(name: string, config: McpServerConfig, options: ConnectOptions): Promise<Connection> {
  try {
    return await attempt(name, config, options, 'auto');
  } catch (error) {
    // Some older programs end when they are asked about the newer protocol.
    if (config.command === undefined || (error as { cause?: { code?: unknown } }).cause?.code !== 'ERA_NEGOTIATION_FAILED') throw error;
    return attempt(name, config, options, 'legacy');
  }
}

async function attempt(name: string, config: McpServerConfig, options: ConnectOptions, mode: 'auto' | 'legacy'): Promise<Connection> {
  const library = await import('@modelcontextprotocol/client');
  const client = new library.Client(
    { name: 'llmspell', version: '0.1.0' },
    {
      capabilities: {},
      versionNegotiation: { mode, ...(config.command !== undefined && { probe: { timeoutMs: Math.min(PROBE_MS, config.start_timeout_ms) } }) },
      inputRequired: { autoFulfill: false },
      listMaxPages: MOST_PAGES,
      // Schemas of results are the server's own and were approved by nobody; compiling them would run its patterns here.
      jsonSchemaValidator: { getValidator: () => (data) => ({ valid: true, data: data as never, errorMessage: undefined }) },
      ...(config.command !== undefined && { listChanged: { tools: { onChanged: options.onListChanged, autoRefresh: false, debounceMs: 0 } } }),
    },
  );
  let flooded = false;
  const stdio = config.command === undefined ? undefined : await program(name, config, options, library.deserializeMessage);
  if (stdio) options.onStart(() => stdio.killGroup('SIGKILL'));
  const transport: Transport =
    stdio ??
    new library.StreamableHTTPClientTransport(new URL(config.url as string), {
      fetch: boundedFetch(() => {
        flooded = true;
      }),
      requestInit: { headers: serverHeaders(name, config) },
      redirectPolicy: 'same-origin',
    });
  let closed = false;
  client.onclose = () => {
    closed = true;
  };
  client.onerror = () => undefined;
  const problem = () => stdio?.problem ?? (flooded ? 'sent an answer of more than 32 MB' : undefined);
  const close = () => (stdio ? stdio.close() : client.close());
  await withTimeout(client.connect(transport, { timeout: config.start_timeout_ms }), config.start_timeout_ms, () => {
    const rubbish = stdio?.rubbish ? ', and what it writes to its standard output is no MCP' : '';
    return mcpFailed(name, `did not answer within ${config.start_timeout_ms} ms of its start (start_timeout_ms)${rubbish}`, {
      outcome: 'not_sent',
      retryable: true,
    });
  }).catch(async (error) => {
    // The reason is taken before closing gives another one.
    const failure = translateFailure(name, error, problem(), false);
    stdio?.killGroup('SIGTERM');
    await close();
    throw failure;
  });
  return {
    get closed() {
      return closed;
    },
    get problem() {
      return problem();
    },
    list: async (timeout) => {
      const { tools } = await client.listTools(undefined, { cacheMode: 'refresh', timeout });
      return readOffers(tools);
    },
    call: (tool, args, signal) => client.callTool({ name: tool, arguments: args }, { signal, timeout: NO_TIMEOUT_MS }),
    close,
  };
}

async function program(
  name: string,
  config: McpServerConfig,
  { onLog }: ConnectOptions,
  parse: ConstructorParameters<typeof StdioTransport>[1],
): Promise<StdioTransport> {
  const { getDefaultEnvironment } = await import('@modelcontextprotocol/client/stdio');
  const env = { ...getDefaultEnvironment(), ...serverEnvironment(name, config) };
  return new StdioTransport({ command: config.command as string, args: config.args ?? [], env, onLog }, parse);
}

async function withTimeout<T>(work: Promise<T>, ms: number, late: () => Error): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const timeout = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(late()), ms);
  });
  try {
    return await Promise.race([work, timeout]);
  } finally {
    clearTimeout(timer);
  }
}
