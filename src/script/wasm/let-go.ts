/** Memory that may be freed at once, bytes: the machine takes some 5 ms to take back 64 MB. */
const AT_ONCE = 64 * 2 ** 20;
/** Where more waits than so many times that, a part of it goes at once: memory is worth more than an even pace. */
const PARTS = 8;
/** More than V8 lets external memory grow by before it collects garbage (64 MB). */
const PRESSURE = 72 * 2 ** 20;
/** How long V8 is given to free something before it is told again, ms; after so many times what was let go is taken as held elsewhere. */
const PATIENCE_MS = 100;
const PATIENCE = 8;

/** What waits to be let go, in order. */
const waiting: WebAssembly.Memory[] = [];
let waitingBytes = 0;
/** What was let go and is not freed yet, bytes. */
let going = 0;
let looking = false;
let again: NodeJS.Timeout | undefined;
let inVain = 0;

const freed = new FinalizationRegistry<number>((bytes) => {
  going = Math.max(0, going - bytes);
  inVain = 0;
  clearTimeout(again);
  again = undefined;
  lookSoon();
});

/**
 * Drops a memory that no context needs any more. V8 does not count what the memories of WebAssembly have grown to, so it comes to collect gigabytes of
 * them at once, and the event loop stands while the machine takes their pages back. So they are let go a few at a time, and V8 is told when it is time.
 */
export function letGo(memory: WebAssembly.Memory): void {
  waiting.push(memory);
  waitingBytes += memory.buffer.byteLength;
  lookSoon();
}

function lookSoon(): void {
  if (looking) return;
  looking = true;
  setImmediate(look).unref();
}

function look(): void {
  looking = false;
  const most = Math.max(AT_ONCE, waitingBytes / PARTS);
  for (let memory = waiting[0]; memory; memory = waiting[0]) {
    const bytes = memory.buffer.byteLength;
    if (going > 0 && going + bytes > most) break;
    waiting.shift();
    waitingBytes -= bytes;
    going += bytes;
    freed.register(memory, bytes);
  }
  if (waiting.length > 0) press();
}

/** Makes V8 look for garbage, in small steps as always, and again where it frees nothing. */
function press(): void {
  if (again) return;
  try {
    new ArrayBuffer(PRESSURE).transfer(0);
  } catch {
    // There is no room for it: V8 has collected garbage before it said so.
  }
  again = setTimeout(() => {
    again = undefined;
    if (++inVain === PATIENCE) going = inVain = 0;
    look();
  }, PATIENCE_MS).unref();
}
