import type { McpServerConfig } from '../../config/config.ts';
import { ScriptError } from '../../errors.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** The named variables of a server that is a program. Throws BAD_CONFIG for one that is not set. */
export function serverEnvironment(name: string, { env = [] }: McpServerConfig, from: Environment = process.env): Record<string, string> {
  return Object.fromEntries(env.map((variable) => [variable, secretOf(name, 'env', variable, from)]));
}

/** The headers of a server that is an address. Throws BAD_CONFIG when a variable is not set. */
export function serverHeaders(
  name: string,
  { headers = {}, header_env = {}, token_env }: McpServerConfig,
  from: Environment = process.env,
): Record<string, string> {
  return {
    ...headers,
    ...Object.fromEntries(Object.entries(header_env).map(([header, variable]) => [header, secretOf(name, `header_env.${header}`, variable, from)])),
    ...(token_env !== undefined && { authorization: `Bearer ${secretOf(name, 'token_env', token_env, from)}` }),
  };
}

function secretOf(server: string, setting: string, variable: string, from: Environment): string {
  const value = from[variable];
  if (value === undefined || value === '')
    throw new ScriptError('BAD_CONFIG', `[mcp.servers.${server}] ${setting}: the environment variable ${variable} is not set`);
  return value;
}
