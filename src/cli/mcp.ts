import { HostContainer } from '../call/run.ts';
import { ScriptError } from '../errors.ts';
import { type InspectedServer, type InspectedTool, inspectServer } from '../mcp/client/inspect.ts';
import { mcpPins } from '../mcp/client/pins.ts';
import { loadConfig } from './config-file.ts';
import { dataFolder } from './data-folder.ts';
import { revealed } from './visible.ts';

export interface McpFlags {
  readonly config?: string;
  readonly data?: string;
  readonly json?: boolean;
  readonly all?: boolean;
}

/** Lists the configured servers with their tools and what has become of their approval. */
export async function listMcp(flags: McpFlags): Promise<void> {
  await using host = await openHost(flags);
  const servers = await Promise.all(Object.keys(host.config.mcp.servers).map((name) => inspectServer(host, name)));
  if (flags.json) return print(JSON.stringify({ servers: servers.map(serverJson) }, null, 2));
  if (servers.length === 0) return print('no MCP servers are configured ([mcp.servers.NAME] in llmspell.toml)');
  for (const server of servers) print(serverText(server));
}

/** Approves tools of a server as they are offered now, and prints what that is. */
export async function approveMcp(name: string, tools: readonly string[], flags: McpFlags): Promise<void> {
  await using host = await openHost(flags);
  const server = await known(host, name);
  if (server.error !== undefined) throw new ScriptError('BAD_CONFIG', server.error);
  const open = server.tools.filter(({ status }) => status === 'new' || status === 'changed');
  if (tools.length === 0 && !flags.all) {
    const names = open.map((tool) => `${tool.name} (${tool.status})`).join(', ');
    throw new ScriptError(
      'BAD_ARGUMENT',
      names === '' ? `every tool of ${name} is approved` : `name the tools of ${name} to approve, or --all: ${revealed(names)}`,
    );
  }
  const chosen = flags.all ? open : tools.map((tool) => offered(server, tool));
  host.get(mcpPins).approve(
    name,
    chosen.flatMap((tool) => tool.offered ?? []),
  );
  for (const tool of chosen) print(`approved ${name}.${tool.name}\n${details(tool)}`);
  if (chosen.length === 0) print(`every tool of ${name} is approved`);
}

/** Takes approvals back. */
export async function revokeMcp(name: string, tools: readonly string[], flags: McpFlags): Promise<void> {
  await using host = await openHost(flags);
  const pins = host.get(mcpPins);
  if (tools.length === 0 && !flags.all) throw new ScriptError('BAD_ARGUMENT', `name the tools of ${name} whose approval to take back, or --all`);
  const wanted = flags.all ? [...pins.of(name).keys()] : tools;
  const revoked = pins.revoke(name, wanted);
  const missing = wanted.find((tool) => !revoked.includes(tool));
  if (missing !== undefined) throw new ScriptError('NOT_FOUND', `no tool ${missing} of ${name} was approved`);
  for (const tool of revoked) print(`revoked ${name}.${tool}`);
}

async function openHost(flags: McpFlags): Promise<HostContainer> {
  const { config } = await loadConfig(flags.config);
  return new HostContainer(config, dataFolder(config, flags));
}

async function known(host: HostContainer, name: string): Promise<InspectedServer> {
  const names = Object.keys(host.config.mcp.servers);
  if (!names.includes(name))
    throw new ScriptError('NOT_FOUND', `there is no MCP server "${name}" in the configuration${names.length > 0 ? `; there are ${names.join(', ')}` : ''}`);
  return inspectServer(host, name);
}

function offered(server: InspectedServer, name: string): InspectedTool {
  const tool = server.tools.find((one) => one.name === name && one.offered);
  if (tool) return tool;
  const unusable = server.unusable.find((one) => one.name === name);
  throw new ScriptError('NOT_FOUND', `${server.name} offers no tool "${name}"${unusable ? ` that can be used: ${unusable.reason}` : ''}`);
}

function serverText({ name, tools, unusable, error }: InspectedServer): string {
  const lines = [name, ...(error === undefined ? [] : [`  cannot be asked: ${revealed(error)}`])];
  for (const tool of tools) lines.push(`  ${tool.status.padEnd(8)}  ${tool.name}`, details(tool));
  for (const tool of unusable) lines.push(`  unusable  ${revealed(tool.name)}: ${tool.reason}`);
  if (lines.length === 1) lines.push('  no tools');
  return lines.join('\n');
}

/** What a tool says of itself; of a changed one, what it said and what it says now. */
function details({ status, changes, pinned, offered: now }: InspectedTool): string {
  const indent = '            ';
  const lines: string[] = [];
  const show = (label: string, text: string) => lines.push(`${indent}${label}${revealed(text).replaceAll('\n', `\n${indent}  `)}`);
  if (status === 'changed') {
    if (changes.includes('description')) {
      show('description was: ', pinned?.description ?? '');
      show('description is:  ', now?.description ?? '');
    }
    if (changes.includes('schema')) {
      show('schema was: ', JSON.stringify(pinned?.schema));
      show('schema is:  ', JSON.stringify(now?.schema));
    }
  } else {
    show('', (now ?? pinned)?.description ?? '');
    if (status === 'new') show('schema: ', JSON.stringify(now?.schema));
  }
  return lines.join('\n');
}

function serverJson({ name, tools, unusable, error }: InspectedServer): object {
  return {
    name,
    ...(error !== undefined && { error }),
    tools: tools.map(({ name: tool, status, changes, pinned, offered: now }) => ({
      name: `${name}.${tool}`,
      status,
      ...(status === 'changed' && { changes }),
      ...(now && { offered: { description: now.description, schema: now.schema } }),
      ...(pinned && { approved: { description: pinned.description, schema: pinned.schema, sha256: pinned.sha256, approved_at: pinned.approved_at } }),
    })),
    unusable,
  };
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
