import type { ScriptError } from '../errors.ts';

let scripts = 0;

/** What all scripts of the process have computed, ms. */
export function scriptsMs(): number {
  return scripts;
}

/** What one run has computed, ms: its script, and the host's work for it that never waits. */
export class Cpu {
  #ms = 0;
  /** What the run has ended with: nobody waits for what is computed for it from then on. */
  ended: ScriptError | undefined;
  /** Told when the host has computed for the run, which may be past its limit. */
  onHost: () => void = () => undefined;

  get ms(): number {
    return this.#ms;
  }

  script(ms: number): void {
    this.#ms += ms;
    scripts += ms;
  }

  host(ms: number): void {
    this.#ms += ms;
    this.onHost();
  }
}

/** Whose work in a thread it is where nobody's run is charged: tenants take turns, and a folder is as good a name of one as its id. */
export function uncharged(tenantFolder: string): { readonly tenant: string; readonly cpu: Cpu } {
  return { tenant: tenantFolder, cpu: new Cpu() };
}
