import { DatabaseSync } from 'node:sqlite';
import { ScriptError } from '../../../src/errors.ts';

type Args =
  | { do: 'echo'; value: unknown }
  | { do: 'make'; rows: number }
  | { do: 'count'; to: number }
  | { do: 'fail' }
  | { do: 'break' }
  | { do: 'endless' }
  | { do: 'hoard' }
  | { do: 'exit' }
  | { do: 'uncopyable' }
  | { do: 'chatter' }
  | { do: 'environment' }
  | { do: 'stuck' }
  | { do: 'pid' };

/** Work of every kind, for trying the pool. */
export function run(args: Args): unknown {
  switch (args.do) {
    case 'echo':
      return args.value;
    case 'make': {
      const rows = Array.from({ length: args.rows }, (_, i) => ({ b: i, a: `text ${i}`, c: i % 2 === 0 ? null : [1.5, 2n ** 60n] }));
      return { columns: ['b', 'a'], rows, count: rows.length, few: [undefined] };
    }
    case 'count':
      return count(args.to);
    case 'fail':
      throw new ScriptError('CONFLICT', 'as asked', { method: 'Try.fail', details: { n: 1 } });
    case 'break':
      return (undefined as unknown as { x: { y: number } }).x.y;
    case 'endless':
      for (;;);
    case 'hoard': {
      const all: unknown[] = [];
      for (;;) all.push(new Array(1_000_000).fill(all.length));
    }
    case 'exit':
      return process.exit(3);
    case 'uncopyable':
      return () => 1;
    case 'chatter':
      console.log('noise');
      console.warn('noise');
      return 'quiet';
    case 'environment':
      return Object.keys(process.env);
    case 'stuck':
      return new DatabaseSync(':memory:').prepare('WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n').get();
    case 'pid':
      return process.pid;
  }
}

/** Counts by computing. */
export function count(to: number): number {
  let value = 0;
  for (let at = 0; at < to; at++) value = (value + Math.sqrt(at)) % 1_000_003;
  return value;
}
