import { matchesAny } from '../../call/capability.ts';
import type { Host, Run } from '../../call/context.ts';
import { ScriptError } from '../../errors.ts';
import type { ToolInfo, ToolSource } from '../../tool/registry.ts';
import { type Tool, toolName } from '../../tool/tool.ts';
import type { Offer, Pin } from './offer.ts';
import { mcpPins } from './pins.ts';
import type { McpServer } from './server.ts';
import { mcpServers } from './servers.ts';
import { infoOf, mcpTool, refuseNew } from './tool.ts';

/** The tools of the configured MCP servers under `server.tool`: lists tell of the approved ones as they were approved, without starting a server. */
export function mcpSource(host: Host): ToolSource {
  const servers = host.get(mcpServers);
  const pins = host.get(mcpPins);
  const made = new WeakMap<Pin, Tool>();

  function split(name: string): { server: McpServer; tool: string } | undefined {
    const dot = name.indexOf('.');
    const server = servers.get(toolName(name.slice(0, dot)));
    return server && { server, tool: name.slice(dot + 1) };
  }

  function toolOf(server: McpServer, pin: Pin): Tool {
    const known = made.get(pin);
    if (known) return known;
    const tool = mcpTool(server, pin, pins);
    made.set(pin, tool);
    return tool;
  }

  async function findOffered(server: McpServer, wanted: string): Promise<undefined> {
    const { tools } = await server.offers();
    const offer = named(tools, wanted);
    if (offer) throw refuseNew(server.name, offer.name);
    return undefined;
  }

  return {
    owns: (prefix) => servers.get(prefix) !== undefined,
    infos: (run) =>
      servers
        .names()
        .flatMap((server): ToolInfo[] => [...pins.of(server).values()].filter((pin) => granted(run, server, pin.name)).map((pin) => infoOf(server, pin))),
    has(run, name) {
      const found = split(name);
      const pin = found && named(pins.of(found.server.name), found.tool);
      return pin !== undefined && granted(run, found?.server.name ?? '', pin.name);
    },
    find(run, name) {
      const found = split(name);
      if (!found) return undefined;
      const { server, tool } = found;
      const pin = named(pins.of(server.name), tool);
      if (!granted(run, server.name, pin?.name ?? tool))
        throw new ScriptError(
          'NOT_ALLOWED',
          `${server.name}.${tool}: this run was not granted the MCP server ${server.name} (grants.mcp = ["${server.name}.*"])`,
          {
            details: { outcome: 'not_sent', retryable: false },
          },
        );
      return pin ? toolOf(server, pin) : findOffered(server, tool);
    },
  };
}

function granted(run: Run, server: string, tool: string): boolean {
  return matchesAny(run.grants.mcp, `${server}.${tool}`);
}

/** By its own spelling, else by that with `_` for `-` where only one fits. */
function named<T extends Offer>(tools: ReadonlyMap<string, T>, wanted: string): T | undefined {
  const exact = tools.get(wanted);
  if (exact) return exact;
  const alike = [...tools.values()].filter(({ name }) => toolName(name) === toolName(wanted));
  return alike.length === 1 ? alike[0] : undefined;
}
