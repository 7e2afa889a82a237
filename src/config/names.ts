import { isAbsolute } from 'node:path';

/** How what a setting, a flag or a grant names has to be written. */
export interface NameRule {
  readonly wanted: string;
  readonly fits: (name: string) => boolean;
}

/** A model: only the first slash counts, models have slashes of their own. */
export const MODEL_NAME: NameRule = {
  wanted: 'provider/model such as openai/gpt-4 or local/extractive',
  fits: (name) => /^[^/\s]+\/\S+$/.test(name),
};

/** Grants that can match nothing unless their names are of a form: hosts, programs and environment variables. */
export const GRANT_NAMES = {
  net: { wanted: 'a host such as api.example.org, *.example.org or [::1], also with :PORT, or *', fits: isHost },
  programs: {
    wanted: 'the name of a program or its absolute path',
    fits: (name) => (isAbsolute(name) ? !name.includes('\0') : /^[^\s\\/*\0]+$/.test(name)),
  },
  environment: { wanted: 'the name of one environment variable', fits: (name) => /^[^\s=*\0]+$/.test(name) },
} as const satisfies Readonly<Record<string, NameRule>>;

function isHost(name: string): boolean {
  const [host, port = 1] = /^(?:\*|(?:\*\.)?\w[\w.-]*|\[[\da-f:.]+\])(?::(\d+))?$/i.exec(name) ?? [];
  return host !== undefined && Number(port) >= 1 && Number(port) <= 65_535;
}
