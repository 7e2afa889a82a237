/** Shadow stack of a fiber, bytes: Lua's nested `string.format` needs 190 kB; above 64 kB QuickJS's nested JSON ends V8's own stack first. */
export const STACK_BYTES = { lua: 262_144, javascript: 65_536 } as const;

/** Handles that one run may hold. */
export const MAX_HANDLES = 100_000;

/** Shadow stacks begin at multiples of this, bytes. */
export const STACK_ALIGNMENT = 16;
