import type { Server } from '@modelcontextprotocol/server';
import type { Value } from '../../call/value.ts';
import { asScriptError, ScriptError } from '../../errors.ts';
import { writeError, writeResult } from './result.ts';
import type { ServedTool } from './served.ts';

/** Calls that run at once, of all clients together. */
const MOST_CALLS = 64;

/** Makes a server object for each connection or request; all share the tools and the bound of calls at once. */
export async function serverFactory(tools: readonly ServedTool[]): Promise<() => Server> {
  const library = await import('@modelcontextprotocol/server');
  const byName = new Map(tools.map((tool) => [tool.name, tool]));
  let calls = 0;

  async function call(tool: ServedTool, args: Value, signal: AbortSignal, print: (line: string) => void) {
    if (calls >= MOST_CALLS) return writeError(new ScriptError('LIMIT_EXCEEDED', `more than ${MOST_CALLS} calls at once; try again later`));
    calls++;
    try {
      return writeResult(tool.name, await tool.call(args, { signal, print }));
    } catch (error) {
      return writeError(asScriptError(error));
    } finally {
      calls--;
    }
  }

  return () => {
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
      // A client that has gone away hears nothing more.
      const print = (line: string) => void mcpReq.log('info', line, tool.name).catch(() => undefined);
      return call(tool, (params.arguments ?? {}) as Value, mcpReq.signal, print);
    });
    return server;
  };
}
