import ipaddr from 'ipaddr.js';

/** Whether the grants let a run reach a host (and port) by its name: `example.org`, `*.example.org`, `*`, each also with `:port`. */
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
  const [, name = '', wantedPort] = /^(\[[^\]]*\]|[^:]*)(?::(\d+))?$/.exec(grant.toLowerCase()) ?? [];
  if (wantedPort !== undefined && port !== undefined && Number(wantedPort) !== port) return false;
  const bare = name.replace(/^\[|\]$/g, '');
  if (bare === '*' || bare === host) return bare !== '';
  return bare.startsWith('*.') && host.endsWith(bare.slice(1)) && host.length > bare.length - 1;
}
