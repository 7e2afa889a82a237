import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/**
 * Whether grants let a run reach all that a grant of this spelling would name, on every port where it names none. A name is not looked up: whether
 * what lies behind it is private shows when it is asked for.
 */
export function coveredBy(net: readonly string[], spelling: string): boolean {
  const { name, port } = readHost(spelling);
  const host = bare(URL.parse(`http://${name}`)?.hostname ?? '');
  return hostAllowed(net, host, port) && (isIP(host) === 0 || isPublic(host) || namedLiterally(net, host, port));
}

/** Whether the grants let a run reach a host by its name on a port, or on every port: `example.org`, `*.example.org`, `*`, each also with `:port`. */
export function hostAllowed(net: readonly string[], host: string, port?: number): boolean {
  return net.some((grant) => matches(grant, host.toLowerCase(), port));
}

/** Whether a grant names exactly this host: only then private addresses behind it are allowed. */
export function namedLiterally(net: readonly string[], host: string, port?: number): boolean {
  return net.some((grant) => !grant.includes('*') && matches(grant, host.toLowerCase(), port));
}

/** Whether an address is of the public internet; everything else (private, loopback, link-local, reserved, multicast) is not. */
export function isPublic(address: string): boolean {
  const parsed = ipaddr.process(address);
  if (parsed.range() !== 'unicast') return false;
  // Of IPv6 only 2000::/3 is given out (RFC 4291); ::127.0.0.1 and the like lie outside.
  return parsed.kind() === 'ipv4' || (parsed.toByteArray()[0] ?? 0) >> 5 === 1;
}

function matches(grant: string, host: string, port: number | undefined): boolean {
  const { name, port: granted } = readHost(grant.toLowerCase());
  if (granted !== undefined && granted !== port) return false;
  const pattern = bare(name);
  if (pattern === '*' || pattern === host) return pattern !== '';
  return pattern.startsWith('*.') && host.endsWith(pattern.slice(1)) && host.length > pattern.length - 1;
}

/** A grant in its parts; without a name where it is none. */
function readHost(grant: string): { name: string; port: number | undefined } {
  const [, name = '', port] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(grant) ?? [];
  return { name, port: port === undefined ? undefined : Number(port) };
}

/** An IPv6 address without its brackets. */
function bare(name: string): string {
  return name.replace(/^\[|\]$/g, '');
}
