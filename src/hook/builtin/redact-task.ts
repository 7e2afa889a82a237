// What a thread does for long texts that are redacted.
import { type RedactSettings, replacing } from './sensitive.ts';

export interface RedactTask {
  readonly settings: RedactSettings;
  readonly text: string;
}

/** The redacted text. */
export function run({ settings, text }: RedactTask): string {
  return replacing(settings)(text);
}
