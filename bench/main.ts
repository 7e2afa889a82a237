// Measures what README and guide claim, peers beside ours in the same run. `npm run bench -- GROUP …` runs some groups; `--json` prints one object per line, `--readme` puts the tables into README and guide.
import { engine } from './groups/engine.ts';
import { ingestRows } from './groups/ingest.ts';
import { processes } from './groups/process.ts';
import { ragRows } from './groups/rag.ts';
import { serviceCalls } from './groups/services.ts';
import { vectorRows } from './groups/vector.ts';
import { workflow } from './groups/workflow.ts';
import type { Row } from './row.ts';
import { table, writeTables } from './table.ts';

/** Groups of rows by name; a new one is a file in groups/ and a line here. */
const GROUPS: Readonly<Record<string, () => Promise<Row[]>>> = {
  process: processes,
  engine,
  services: serviceCalls,
  workflow,
  ingest: ingestRows,
  rag: ragRows,
  vector: vectorRows,
};

const wanted = process.argv.slice(2).filter((word) => !word.startsWith('-'));
const unknown = wanted.filter((name) => !Object.hasOwn(GROUPS, name));
if (unknown.length > 0) {
  console.error(`there is no group ${unknown.join(', ')}; there are ${Object.keys(GROUPS).join(', ')}`);
  process.exit(2);
}
const rows: Row[] = [];
for (const [name, measure] of Object.entries(GROUPS)) if (wanted.length === 0 || wanted.includes(name)) rows.push(...(await measure()));
if (process.argv.includes('--json')) for (const one of rows) console.log(JSON.stringify(one));
else console.log(table(rows));
if (process.argv.includes('--readme')) writeTables(rows);
process.exit(0);
