import { parseConfig } from '../../src/config/config.ts';
import { hashEmbed } from '../../src/model/hash/embed.ts';
import { wordsEmbed } from '../../src/model/words/embed.ts';
import { openTable, readTable, wordTable } from '../../src/model/words/table.ts';
import { chunk, toChunking } from '../../src/rag/chunk/chunk.ts';
import { run as chunkHere } from '../../src/rag/chunk/task.ts';
import { prepare } from '../../src/rag/prepare.ts';
import { benchContext } from '../context.ts';
import { prose } from '../prose.ts';
import { median, type Row, row } from '../row.ts';

/** Preparing documents for knowledge bases, up to the store. */
export async function ingestRows(): Promise<Row[]> {
  const context = benchContext(parseConfig());
  const [small, large] = [prose(2_000), prose(2_000_000)];
  const prepareAll = async (count: number) => {
    const inputs = Array.from({ length: count }, (_, at) => ({ content: `${at} ${small}`, metadata: {} }));
    for await (const one of prepare(context, inputs, { chunking: toChunking(), embedder: 'local/words' }))
      if (!('document' in one)) throw new Error('not prepared');
  };
  await prepareAll(50);
  const chunked = (strategy: string) =>
    median(3, 1, () => chunkHere({ text: large, chunking: toChunking({ strategy }) })).then((micros) => large.length / micros);
  const rows = [
    row('document of 2 kB read, chunked and embedded (local/words)', (await median(5, 100, () => prepareAll(100))) / 1000, 'ms', 3),
    row('local/words: its table read and checked', (await median(5, 5, () => Array.from({ length: 5 }, () => openTable(readTable())))) / 1000, 'ms', 30),
    row('local/words of 2 kB', await median(5, 200, () => Array.from({ length: 200 }, () => wordsEmbed(small, wordTable()))), 'µs', 1_000),
    row('local/hash of 2 kB', await median(5, 200, () => Array.from({ length: 200 }, () => hashEmbed(small))), 'µs', 1_000),
    row(
      'semantic chunking of 2 kB (local/words)',
      await median(5, 20, async () => {
        for (let at = 0; at < 20; at++)
          await chunk(small, toChunking({ strategy: 'semantic' }), {
            signal: context.signal,
            run: context.run,
            embed: async (texts) => texts.map((text) => wordsEmbed(text, wordTable())),
          });
      }),
      'µs',
    ),
  ];
  for (const strategy of ['fixed', 'sentence', 'recursive', 'markdown', 'code']) rows.push(row(`chunking, ${strategy}`, await chunked(strategy), 'MB/s'));
  return rows;
}

if (import.meta.main) for (const one of await ingestRows()) console.log(`${one.name}: ${one.value.toFixed(3)} ${one.unit}`);
