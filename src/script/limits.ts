/** Shadow stack of a fiber, bytes: Lua's nested `string.format` needs 190 kB; with QuickJS's, V8's own stack must never end first (docs/decisions/16). */
export const STACK_BYTES = { lua: 262_144, javascript: 196_608 } as const;

/** Handles that one run may hold. */
export const MAX_HANDLES = 100_000;

/** Shadow stacks begin at multiples of this, bytes. */
export const STACK_ALIGNMENT = 16;
