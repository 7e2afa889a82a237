// Runs a command of this package with a fitting Node: this one if it passes the platform check, else the private one of tools/node.
import { spawnSync } from 'node:child_process';
import { fittingNode } from './launch.mjs';

const [command, ...args] = process.argv.slice(2);
if (command !== 'node') throw new Error('usage: node tools/run.mjs node SCRIPT [args…]');
const { status, signal } = spawnSync(fittingNode(), args, { stdio: 'inherit' });
process.exitCode = signal ? 130 : (status ?? 1);
