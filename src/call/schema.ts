import { type core, globalRegistry } from 'zod';
import { z } from '../zod.ts';
import { type Callback, Handle, type HandleType, type Value } from './value.ts';

/** What our own schemas are, for the compiler, the engines and the generators; kept in zod's registry under `llmspell`. */
export type Special =
  | { kind: 'any' }
  | { kind: 'callback'; kept: boolean; signature: string }
  | { kind: 'handle'; type: HandleType }
  | { kind: 'bytes'; text?: true };

function special<T>(mark: Special): z.ZodType<T, T> {
  return z.custom<T>().register(globalRegistry, { llmspell: mark });
}

/** Any value of the host model, null included. */
export const anyValue: z.ZodType<Value, Value> = special({ kind: 'any' });

/** Bytes: `Uint8Array` in JavaScript, a string in Lua; a text is taken as its UTF-8 bytes. */
export const bytes: z.ZodType<Uint8Array, Uint8Array> = special({ kind: 'bytes' });

/** The same for what takes a text in pieces, as `bytesOf` of call/text.ts gives them: it is left as it is. */
export const textOrBytes: z.ZodType<string | Uint8Array, string | Uint8Array> = special({ kind: 'bytes', text: true });

/** A map of anything. */
export const anyMap = z.record(z.string(), anyValue);

/** A script function used during the call only (`State.update`); `signature` as in TypeScript, for editors. */
export function callback(signature = '(...args: any[]) => any'): z.ZodType<Callback, Callback> {
  return special({ kind: 'callback', kept: false, signature });
}

/** A script function kept after the call (`Hook.register`). */
export function keptCallback(signature = '(...args: any[]) => any'): z.ZodType<Callback, Callback> {
  return special({ kind: 'callback', kept: true, signature });
}

/** A handle of this kind: the handler receives and returns `Handle` objects' targets. */
export function handle<T extends object>(type: HandleType<T>): z.ZodType<T, T> {
  return special({ kind: 'handle', type: type as HandleType });
}

export { Handle };

/** Whether a value may be left out: its schema is optional or has a default. */
export function mayBeMissing(schema: core.$ZodType): boolean {
  return schema._zod.optin !== undefined;
}
