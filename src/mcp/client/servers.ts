import { hostService } from '../../call/context.ts';
import { LOG_LEVELS } from '../../config/config.ts';
import { log } from '../../log/log.ts';
import { McpServer } from './server.ts';

/** The configured servers, none of which runs before it is used; all end with the runtime. */
export interface McpServers extends AsyncDisposable {
  get(name: string): McpServer | undefined;
  names(): string[];
}

export const mcpServers = hostService<McpServers>('mcp servers', (host) => {
  const { config } = host;
  const talks = config.log.level !== 'silent' && LOG_LEVELS.indexOf(config.log.level) <= LOG_LEVELS.indexOf('debug');
  const servers = new Map(
    Object.entries(config.mcp.servers).map(([name, settings]) => {
      const onLog = (line: string) => {
        if (talks) host.get(log).write({ level: 'debug', message: line, fields: { mcp_server: name }, run_id: '', tenant: '' });
      };
      return [name, new McpServer({ name, config: settings, onLog })];
    }),
  );
  // A process that ends without closing the runtime leaves no servers behind.
  const onExit = () => {
    for (const server of servers.values()) server.kill();
  };
  process.once('exit', onExit);
  return {
    get: (name) => servers.get(name),
    names: () => [...servers.keys()],
    async [Symbol.asyncDispose]() {
      await Promise.all([...servers.values()].map((server) => server[Symbol.asyncDispose]()));
      process.off('exit', onExit);
    },
  };
});
