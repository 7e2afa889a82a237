import type { Host } from '../../call/context.ts';
import { asScriptError } from '../../errors.ts';
import { changesOf, type Offer, type Offers, type Pin } from './offer.ts';
import { mcpPins } from './pins.ts';
import { mcpServers } from './servers.ts';

export type ToolStatus = 'new' | 'approved' | 'changed' | 'gone';

/** A tool as it was approved and as it is offered. */
export interface InspectedTool {
  readonly name: string;
  readonly status: ToolStatus;
  /** Which parts differ, of a changed one. */
  readonly changes: readonly ('description' | 'schema')[];
  readonly pinned: Pin | undefined;
  readonly offered: Offer | undefined;
}

export interface InspectedServer {
  readonly name: string;
  readonly tools: readonly InspectedTool[];
  readonly unusable: Offers['unusable'];
  /** Why the server could not be asked; its tools then are those that were approved. */
  readonly error: string | undefined;
}

/** Asks a server what it offers and compares that with what was approved. */
export async function inspectServer(host: Host, name: string): Promise<InspectedServer> {
  const pins = host.get(mcpPins).of(name);
  let offers: Offers | undefined;
  let error: string | undefined;
  try {
    offers = await host.get(mcpServers).get(name)?.offers();
  } catch (thrown) {
    error = asScriptError(thrown).message;
  }
  const names = new Set([...(offers?.tools.keys() ?? []), ...pins.keys()]);
  const tools = [...names].sort().map((tool) => inspect(tool, pins.get(tool), offers ? offers.tools.get(tool) : pins.get(tool)));
  return { name, tools, unusable: offers?.unusable ?? [], error };
}

function inspect(name: string, pinned: Pin | undefined, offered: Offer | undefined): InspectedTool {
  const changes = pinned && offered ? changesOf(pinned, offered) : [];
  const status = !pinned ? 'new' : !offered ? 'gone' : changes.length > 0 ? 'changed' : 'approved';
  return { name, status, changes, pinned, offered };
}
