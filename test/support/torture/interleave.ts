import type { Language } from '../../../src/call/context.ts';
import type { Value } from '../../../src/call/value.ts';
import { createJavaScriptEngine } from '../../../src/script/javascript/engine.ts';
import { createLuaEngine } from '../../../src/script/lua/engine.ts';
import { runText } from '../engine.ts';
import { testHost, testRun } from '../run.ts';
import { type Random, random } from './random.ts';

/** One thing that a handler does; each changes a number, and all but `compute` wait on the way. */
type Step = NumberStep | { op: 'sort' | 'replace'; list: number[] } | { op: 'nest'; steps: Step[] };
type NumberStep = { op: 'compute' | 'wait' | 'throw' | 'fail' | 'generate' | 'collect'; n: number };

const PRIME = 1_000_003;

function steps(from: Random, depth: number): Step[] {
  return from.list(1 + from.below(6), (): Step => {
    const op = from.of(['compute', 'wait', 'throw', 'fail', 'generate', 'collect', 'sort', 'replace', 'nest'] as const);
    if (op === 'nest') return depth === 0 ? { op: 'wait', n: 1 } : { op, steps: steps(from, depth - 1) };
    if (op === 'sort' || op === 'replace') return { op, list: from.list(2 + from.below(6), () => from.below(90)) };
    return { op, n: from.below(op === 'compute' ? 20_000 : 9) };
  });
}

/** What the handlers give when they run one after the other, without an engine. */
function model(program: readonly Step[]): number {
  let value = 7;
  const mix = (n: number) => {
    value = (value * 31 + n) % PRIME;
  };
  for (const step of program) {
    if (step.op === 'nest') mix(model(step.steps));
    else if (step.op === 'sort') for (const n of [...step.list].sort((a, b) => a - b)) mix(n);
    else if (step.op === 'replace') for (const n of step.list) mix(n + 1);
    else mixNumber(step as NumberStep);
  }
  return value;
  function mixNumber(step: NumberStep): void {
    if (step.op === 'generate') for (let i = 1; i <= step.n; i++) mix(i);
    else if (step.op === 'compute') for (let i = 0; i < step.n; i++) value = (value + i) % PRIME;
    else if (step.op === 'fail') mix('TOOL_FAILED'.length);
    else mix(step.n);
  }
}

const SCRIPTS: Readonly<Record<Language, string>> = {
  lua: `
local run
local function handle(steps)
  local value = 7
  local function mix(n) value = (value * 31 + n) % ${PRIME} end
  for _, step in ipairs(steps) do
    local op, n = step.op, step.n
    if op == "nest" then mix(Try.call(function() return handle_steps(step.steps) end))
    elseif op == "sort" then
      local list = {table.unpack(step.list)}
      table.sort(list, function(a, b) return Try.later(a, 0) < b end)
      for _, item in ipairs(list) do mix(item) end
    elseif op == "replace" then
      local text = table.concat(step.list, ",")
      text:gsub("%d+", function(item) mix(Try.now(tonumber(item)) + 1) end)
    elseif op == "generate" then
      for item in coroutine.wrap(function() for i = 1, n do coroutine.yield(Try.later(i, i % 2)) end end) do mix(item) end
    elseif op == "compute" then for i = 0, n - 1 do value = (value + i) % ${PRIME} end
    elseif op == "throw" then
      local ok, thrown = pcall(function() Try.later(1, 0) error({n = n}) end)
      mix(thrown.n)
    elseif op == "fail" then
      local ok, thrown = pcall(Try.fail, "no", n % 3)
      mix(#thrown.code)
    elseif op == "collect" then collectgarbage() mix(Try.now(n))
    else mix(Try.later(n, n % 4)) end
  end
  return value
end
handle_steps = handle
local tasks = {}
for i, program in ipairs(INPUT) do tasks[i] = function() return handle(program) end end
return Try.all(tasks)`,
  javascript: `
const handle = steps => {
  let value = 7
  const mix = n => { value = (value * 31 + n) % ${PRIME} }
  for (const {op, n, list, steps: inner} of steps) {
    if (op === "nest") mix(Try.call(() => handle(inner)))
    else if (op === "sort") for (const item of [...list].sort((a, b) => Try.later(a, 0) - b)) mix(item)
    else if (op === "replace") list.join(",").replace(/\\d+/g, item => { mix(Try.now(+item) + 1); return "" })
    else if (op === "generate") { for (const item of (function* () { for (let i = 1; i <= n; i++) yield Try.later(i, i % 2) })()) mix(item) }
    else if (op === "compute") for (let i = 0; i < n; i++) value = (value + i) % ${PRIME}
    else if (op === "throw") { try { Try.later(1, 0); throw {n} } catch (thrown) { mix(thrown.n) } finally { Try.now(1) } }
    else if (op === "fail") { try { Try.fail("no", n % 3) } catch (thrown) { mix(thrown.code.length) } }
    else if (op === "collect") { for (let i = 0; i < 300; i++) { const a = {}; a.b = {a, list: [i]} } mix(Try.now(n)) }
    else mix(Try.later(n, n % 4))
  }
  return value
}
Try.all(INPUT.map(program => () => handle(program)))`,
};

/** Runs so many rounds of 3 to 30 overlapping handlers and gives those that differ from a run of one after the other. */
export async function interleave(language: Language, rounds: number, seed = 1): Promise<readonly { round: number; got: Value; wanted: number[] }[]> {
  const engine = language === 'lua' ? createLuaEngine() : createJavaScriptEngine();
  const host = testHost();
  const from = random(seed);
  const different = [];
  for (let round = 0; round < rounds; round++) {
    const programs = from.list(3 + from.below(28), () => steps(from, 2));
    const { run } = testRun({ host, language, input: programs as unknown as Value, limits: { cpu_ms: 600_000 }, seed: round });
    const got = await runText(engine, run, SCRIPTS[language]);
    const wanted = programs.map(model);
    if (JSON.stringify(got) !== JSON.stringify(wanted)) different.push({ round, got, wanted });
  }
  return different;
}
