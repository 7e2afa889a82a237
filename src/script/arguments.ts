/** A script's arguments as `ARGS` shows them. */
export interface ScriptArguments {
  readonly positional: readonly string[];
  /** `--name value`, `--name=value`, and `--flag` (true) at the end or before another option. */
  readonly named: Readonly<Record<string, string | true>>;
}

/** Splits a script's arguments; everything behind `--` is positional. */
export function parseArguments(args: readonly string[]): ScriptArguments {
  const positional: string[] = [];
  const named: Record<string, string | true> = {};
  for (let i = 0; i < args.length; i++) {
    const arg = args[i] as string;
    if (arg === '--') return { positional: [...positional, ...args.slice(i + 1)], named };
    const option = /^--([A-Za-z][\w-]*)(?:=([\s\S]*))?$/.exec(arg);
    if (!option) {
      positional.push(arg);
      continue;
    }
    const [, name = '', value] = option;
    const next = args[i + 1];
    if (value !== undefined) named[name] = value;
    else if (next !== undefined && !next.startsWith('--')) {
      named[name] = next;
      i++;
    } else named[name] = true;
  }
  return { positional, named };
}
