// Makes build/engine/*.wasm and the bundled command line in build/app. `--linkers` assembles the linker modules and the vector kernel again, `--pin`
// prints the hashes that the manifests must name.
import { writeFileSync } from 'node:fs';
import { type EngineName, MANIFESTS } from '../src/script/wasm/manifests.ts';

const NAMES = Object.keys(MANIFESTS) as EngineName[];
const [flag] = process.argv.slice(2);

if (flag === '--linkers') {
  const { linkersModule } = await import('../src/script/wasm/assemble.ts');
  writeFileSync(new URL('../src/script/wasm/linkers.ts', import.meta.url), await linkersModule());
  const { kernelModule } = await import('../src/vector/assemble.ts');
  writeFileSync(new URL('../src/vector/kernel.ts', import.meta.url), await kernelModule());
} else if (flag === '--pin') {
  const { buildEngine } = await import('../src/script/wasm/build.ts');
  const { sha256 } = await import('../src/call/digest.ts');
  const { readFileSync } = await import('node:fs');
  for (const name of NAMES) {
    const source = readFileSync(new URL(import.meta.resolve(MANIFESTS[name].source)));
    console.log(`${name}\n  sourceSha256: '${sha256(source)}',\n  sha256: '${sha256(buildEngine(source, MANIFESTS[name]))}',`);
  }
} else {
  const { engineBinary } = await import('../src/script/wasm/load.ts');
  const { forgetBuilt } = await import('../src/script/wasm/built.ts');
  forgetBuilt();
  for (const name of NAMES) console.log(`build/engine/${name}.wasm: ${Math.round(engineBinary(name).length / 1000)} kB`);
  try {
    await (await import('./bundle.mjs')).bundle();
    console.log('build/app: the command line');
  } catch (error) {
    // Without it the command line starts from its sources.
    console.log(`build/app: not made (${error instanceof Error ? error.message.split('\n', 1)[0] : error})`);
  }
}
