import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const FOLDER = new URL('./peers/', import.meta.url);

/** Loads `peers/<name>.mjs`, which measures another project; installs what it needs (`bench/peers/package-lock.json`) when it is missing. */
export async function loadPeer<T>(name: string): Promise<T> {
  if (!existsSync(new URL('node_modules', FOLDER))) install();
  return (await import(new URL(`${name}.mjs`, FOLDER).href)) as T;
}

function install(): void {
  console.error('installing the peers of the benchmark');
  const { status } = spawnSync('npm', ['ci', '--prefix', fileURLToPath(FOLDER), '--ignore-scripts', '--no-audit', '--no-fund'], { stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Error('npm ci --prefix bench/peers failed');
}
