import type { Server } from '@modelcontextprotocol/server';
import type { Value } from '../../call/value.ts';
import { asScriptError, ScriptError } from '../../errors.ts';
import { writeError, writeResult } from './result.ts';
import type { ServedTool } from './served.ts';

/** Calls that run at once, of all clients together. */
const MOST_CALLS = 64;

export interface Servers {
  /** A server object for a connection or request; all share the tools and the bound of calls at once. */
  make(): Server;
  /** Whether a call of this one is under way. */
  isBusy(server: Server): boolean;
}

/** What serves these tools. */
export async function serverFactory(tools: readonly ServedTool[]): Promise<Servers> {
  const library = await import('@modelcontextprotocol/server');
  const byName = new Map(tools.map((tool) => [tool.name, tool]));
  const busy = new Map<Server, number>();
  let calls = 0;

  function count(server: Server, change: 1 | -1): void {
    calls += change;
    const own = (busy.get(server) ?? 0) + change;
    if (own > 0) busy.set(server, own);
    else busy.delete(server);
  }

  async function call(server: Server, tool: ServedTool, args: Value, signal: AbortSignal, log: (text: string) => Promise<void>) {
    if (calls >= MOST_CALLS) return writeError(new ScriptError('LIMIT_EXCEEDED', `more than ${MOST_CALLS} calls at once; try again later`));
    const printer = printTo(log);
    count(server, 1);
    try {
      const value = await tool.call(args, { signal, print: printer.print });
      await printer.told();
      return writeResult(tool.name, value);
    } catch (error) {
      await printer.told();
      return writeError(asScriptError(error));
    } finally {
      count(server, -1);
    }
  }

  const make = () => {
    const server = new library.Server({ name: 'llmspell', version: '0.1.0' }, { capabilities: { tools: {}, logging: {} } });
    server.setRequestHandler('tools/list', () => ({
      tools: tools.map(({ name, description, input, output }) => ({
        name,
        description,
        inputSchema: { ...input, type: 'object' as const },
        ...(output && { outputSchema: { ...output, type: 'object' as const } }),
      })),
    }));
    server.setRequestHandler('tools/call', ({ params }, { mcpReq }) => {
      const tool = byName.get(params.name);
      if (!tool) throw new library.ProtocolError(library.ProtocolErrorCode.InvalidParams, `there is no tool ${params.name}`);
      return call(server, tool, (params.arguments ?? {}) as Value, mcpReq.signal, (text) => mcpReq.log('info', text, tool.name));
    });
    return server;
  };
  return { make, isBusy: (server) => busy.has(server) };
}

/** Sends lines in their order; those that come faster than they can be sent go together. */
function printTo(log: (text: string) => Promise<void>) {
  let waiting: string[] = [];
  let sending: Promise<void> | undefined;
  async function send(): Promise<void> {
    while (waiting.length > 0) {
      const text = waiting.join('\n');
      waiting = [];
      // A client that has gone away hears nothing more.
      await log(text).catch(() => undefined);
    }
    sending = undefined;
  }
  return {
    print(line: string): void {
      waiting.push(line);
      sending ??= send();
    },
    /** Resolves when everything is sent. */
    told: async () => sending,
  };
}
