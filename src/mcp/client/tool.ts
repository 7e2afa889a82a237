import { external } from '../../call/external.ts';
import { cancelled } from '../../call/run.ts';
import type { Value } from '../../call/value.ts';
import { ScriptError } from '../../errors.ts';
import type { ToolInfo } from '../../tool/registry.ts';
import type { Tool } from '../../tool/tool.ts';
import { argumentChecker, toJsonArguments } from './arguments.ts';
import { mcpFailed } from './failure.ts';
import { changesOf, digestOf, type Pin } from './offer.ts';
import type { Pins } from './pins.ts';
import { RESULT_SCHEMA, readResult } from './result.ts';
import type { McpServer } from './server.ts';

const CATEGORY = 'mcp';
const VERSION = '1.0.0';

/** What lists tell of an approved tool. */
export function infoOf(server: string, { name, description }: Pin): ToolInfo {
  return { name: `${server}.${name}`, description, category: CATEGORY, tags: ['mcp', server], version: VERSION, source: 'mcp' };
}

/** An approved tool of a server: described as it was approved, and run only while the server still offers exactly that. */
export function mcpTool(server: McpServer, pin: Pin, pins: Pins): Tool {
  const info = infoOf(server.name, pin);
  let check: Tool['check'] | undefined;

  return {
    ...info,
    needs: undefined,
    timeoutMs: server.config.timeout_ms,
    examples: [],
    schema: pin.schema,
    resultSchema: RESULT_SCHEMA,
    check(input, context) {
      if (!check) {
        const checker = argumentChecker(pin.schema);
        check = (given, { run }) => checker(given, info.name, run.language);
      }
      return check(input, context);
    },
    execute: (input, context) =>
      external(context, async () => {
        const args = toJsonArguments(info.name, input as Value);
        await mustBeAsApproved(server, pin, pins);
        if (context.signal.aborted) throw cancelled(context.signal);
        return readResult(info.name, await server.call(pin.name, args, context.signal));
      }),
  };
}

async function mustBeAsApproved(server: McpServer, pin: Pin, pins: Pins): Promise<void> {
  // A handle may be older than the approval it was made from.
  if (pins.of(server.name).get(pin.name)?.sha256 !== pin.sha256) throw refuseNew(server.name, pin.name);
  const offer = (await server.offers()).tools.get(pin.name);
  if (!offer) throw mcpFailed(server.name, `does not offer the tool ${pin.name} any more`, { outcome: 'not_sent', retryable: false });
  if (digestOf(offer) !== pin.sha256) throw refuseChanged(server.name, pin.name, changesOf(pin, offer));
}

/** The refusal of a tool that nobody has approved. */
export function refuseNew(server: string, tool: string): ScriptError {
  return refusal(server, tool, 'this tool of an MCP server has not been approved; see it with `llmspell mcp list`');
}

/** The refusal of a tool that is not any more what was approved. */
export function refuseChanged(server: string, tool: string, changes: readonly string[]): ScriptError {
  return refusal(
    server,
    tool,
    `the server has changed the ${changes.join(' and the ')} of this tool since it was approved; see how with \`llmspell mcp list\``,
  );
}

function refusal(server: string, tool: string, why: string): ScriptError {
  return new ScriptError('NOT_ALLOWED', `${server}.${tool}: ${why} and approve it with \`llmspell mcp approve ${server} ${tool}\``, {
    details: { outcome: 'not_sent', retryable: false },
  });
}
