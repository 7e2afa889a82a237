import { type Ours, open } from '../ours.ts';
import { loadPeer } from '../peers.ts';
import { headline, median, type Row, row } from '../row.ts';

const STEPS = 1_000;
const TIMES = 3;

interface WorkflowPeer {
  readonly version: string;
  sequential(count: number): Promise<void>;
  parallel(count: number): Promise<void>;
}

const SCRIPTS = {
  lua: (kind: string) =>
    `local steps = {} for i = 1, ${STEPS} do steps[i] = {handler = function(ctx) return i end} end Workflow.${kind}({name = "w", steps = steps}):execute()`,
  javascript: (kind: string) =>
    `const steps = []; for (let i = 1; i <= ${STEPS}; i++) steps.push({handler: ctx => i}); Workflow.${kind}({name: "w", steps}).execute(); 0`,
};

/** Steps that do nothing, made and run: ours are functions of a sandboxed script, the peers' are functions of the host. */
export async function workflow(): Promise<Row[]> {
  const ours = await open();
  const peers = [await loadPeer<WorkflowPeer>('langgraph'), await loadPeer<WorkflowPeer>('mastra')];
  const rows: Row[] = [];
  for (const [kind, word] of [
    ['sequential', 'step of a 1,000-step sequential workflow'],
    ['parallel', 'branch of a 1,000-branch parallel workflow'],
  ] as const) {
    const each = await Promise.all(peers.map(async (peer) => [peer.version, peer[kind]] as const));
    const lua = await ourTime(ours, 'lua', kind);
    const javascript = await ourTime(ours, 'javascript', kind);
    for (const [version, work] of each) {
      await work(STEPS);
      const theirs = await median(TIMES, STEPS, () => work(STEPS));
      const inLua = row(`${word}, Lua`, lua, 'µs', undefined, [version, theirs]);
      rows.push(kind === 'sequential' ? headline(inLua) : inLua, row(`${word}, JavaScript`, javascript, 'µs', undefined, [version, theirs]));
    }
  }
  await ours.close();
  return rows;
}

async function ourTime({ run }: Ours, language: 'lua' | 'javascript', kind: string): Promise<number> {
  const work = () => run(language, SCRIPTS[language](kind), { fibers: 2 * STEPS });
  await work();
  return median(TIMES, STEPS, work);
}
