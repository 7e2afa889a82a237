import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { hostService } from '../../call/context.ts';
import type { ValueMap } from '../../call/value.ts';
import { ScriptError } from '../../errors.ts';
import { storeFailure } from '../../store/failure.ts';
import { writeWhole } from '../../store/files.ts';
import { makeFolder } from '../../store/folders.ts';
import { z } from '../../zod.ts';
import { digestOf, type Offer, type Pin } from './offer.ts';

/** The approved tools of all servers, kept in the data folder for all tenants; what another process approves is seen at the next use. */
export interface Pins {
  /** By the tool's own name. Throws STORE_FAILED when the file is damaged. */
  of(server: string): ReadonlyMap<string, Pin>;
  /** Pins these offers in place of what was pinned under their names. */
  approve(server: string, offers: readonly Offer[]): void;
  /** Takes approvals back; gives the names that had one. */
  revoke(server: string, names: readonly string[]): string[];
}

/** The file in the data folder. */
const FILE = 'mcp-approved.json';

const fileSchema = z.object({
  version: z.literal(1),
  servers: z.record(
    z.string(),
    z.record(z.string(), z.object({ description: z.string(), schema: z.record(z.string(), z.unknown()), sha256: z.string(), approved_at: z.string() })),
  ),
});

type Approved = Map<string, Map<string, Pin>>;

export const mcpPins = hostService<Pins>('mcp pins', ({ dataDir }) => {
  const path = join(dataDir, FILE);
  let known: { stamp: string; approved: Approved } | undefined;

  function read(): Approved {
    const stamp = stampOf(path);
    if (known?.stamp !== stamp) known = { stamp, approved: stamp === '' ? new Map() : parse(path) };
    return known.approved;
  }

  function change(server: string, work: (pins: Map<string, Pin>) => void): void {
    const approved = new Map([...read()].map(([name, pins]) => [name, new Map(pins)]));
    const pins = approved.get(server) ?? new Map<string, Pin>();
    work(pins);
    approved.set(server, pins);
    try {
      makeFolder(dataDir);
      writeWhole(path, Buffer.from(`${JSON.stringify(toFile(approved), null, 2)}\n`));
    } catch (error) {
      throw storeFailure(error);
    }
    known = undefined;
  }

  return {
    of: (server) => read().get(server) ?? new Map(),
    approve(server, offers) {
      const approved_at = new Date().toISOString();
      change(server, (pins) => {
        for (const offer of offers) pins.set(offer.name, { ...offer, sha256: digestOf(offer), approved_at });
      });
    },
    revoke(server, names) {
      const had = names.filter((name) => read().get(server)?.has(name));
      if (had.length > 0)
        change(server, (pins) => {
          for (const name of had) pins.delete(name);
        });
      return had;
    },
  };
});

/** Differs whenever the file was written again; empty where there is none. */
function stampOf(path: string): string {
  const stat = statSync(path, { bigint: true, throwIfNoEntry: false });
  return stat ? `${stat.ino} ${stat.size} ${stat.mtimeNs}` : '';
}

function parse(path: string): Approved {
  try {
    const { servers } = fileSchema.parse(JSON.parse(readFileSync(path, 'utf8')));
    return new Map(
      Object.entries(servers).map(([server, pins]) => [
        server,
        new Map(
          Object.entries(pins).map(([name, { schema, ...rest }]) => {
            const pin: Pin = { name, schema: schema as ValueMap, ...rest };
            if (digestOf(pin) !== pin.sha256) throw new Error(`the checksum of ${server}.${name} differs`);
            return [name, pin];
          }),
        ),
      ]),
    );
  } catch (error) {
    throw new ScriptError('STORE_FAILED', `${FILE} in the data folder, which holds the approved MCP tools, is damaged; remove it and approve them again`, {
      cause: error,
    });
  }
}

function toFile(approved: Approved): z.input<typeof fileSchema> {
  const servers = [...approved].map(([server, pins]) => [
    server,
    Object.fromEntries([...pins].map(([name, { description, schema, sha256, approved_at }]) => [name, { description, schema, sha256, approved_at }])),
  ]);
  return { version: 1, servers: Object.fromEntries(servers) };
}
