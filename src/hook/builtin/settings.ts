import type { Config } from '../../config/config.ts';

export type HookSettings = Config['hooks'];

/** The section of a hook that is switched on. */
export function settingsOf<K extends keyof HookSettings>(config: Config, name: K): NonNullable<HookSettings[K]> | undefined {
  const section = config.hooks[name];
  return section?.enabled ? section : undefined;
}
