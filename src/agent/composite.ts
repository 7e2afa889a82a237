import type { Context } from '../call/context.ts';
import { lines } from '../call/lines.ts';
import { sideBySide } from '../call/side-by-side.ts';
import type { Callback, Value } from '../call/value.ts';
import { ScriptError } from '../errors.ts';
import { type OnText, type TokenUsage, usageOf, valueText } from '../model/model.ts';
import type { Agent, AgentCore, AgentRequest, AgentResult } from './agent.ts';
import type { Outcome } from './loop.ts';

/** How several agents answer as one. */
export const STRATEGIES = ['sequential', 'parallel', 'vote', 'route'] as const;
export type Strategy = (typeof STRATEGIES)[number];

/** Who answers under `route`: a function that names a member, or an agent that is asked; without either the member whose description fits best. */
export type Router = Callback | Agent;

/** The core of a composite agent. */
export function composite(members: readonly Agent[], strategy: Strategy, router: Router | undefined): AgentCore {
  return {
    kind: strategy,
    members,
    async answer(agent, context, request, onText) {
      if (request.session && strategy !== 'route')
        throw new ScriptError(
          'BAD_ARGUMENT',
          `${context.method}: session: ${agent.name} asks several agents, which cannot share one session; give it to one of them`,
        );
      switch (strategy) {
        case 'sequential':
          return inSequence(members, context, request, onText);
        case 'parallel':
          return all(members, context, request, onText, (results) => results.map(({ output }, at) => ({ agent: members[at]?.name ?? '', output })));
        case 'vote':
          return all(members, context, request, onText, majority);
        case 'route': {
          const { chosen, asked } = await choose(members, router, context, request);
          return outcomeOf([...asked, await chosen.execute(context, request, onText)], (results) => results.at(-1)?.output ?? null);
        }
      }
    },
  };
}

/** Each gets the answer of the one before as its prompt; only the last one streams, and only it is held to the schema that was asked for. */
async function inSequence(members: readonly Agent[], context: Context, request: AgentRequest, onText: OnText | undefined): Promise<Outcome> {
  const results: AgentResult[] = [];
  const { output_schema, ...rest } = request;
  for (const [at, member] of members.entries()) {
    const last = at === members.length - 1;
    const before = results.at(-1);
    const next = before ? { prompt: valueText(before.output) } : rest;
    results.push(await member.execute(context, last ? { ...next, output_schema } : next, last ? onText : undefined));
  }
  return outcomeOf(results, (answers) => answers.at(-1)?.output ?? null);
}

/** All at once; the first failure cancels the others. What they come to together can only be streamed in one piece. */
async function all(
  members: readonly Agent[],
  context: Context,
  request: AgentRequest,
  onText: OnText | undefined,
  join: (results: readonly AgentResult[]) => Value,
): Promise<Outcome> {
  const results = await sideBySide(context, members, (inside, member) => member.execute(inside, request), {
    why: 'another agent of the same composite failed',
  });
  const outcome = outcomeOf(results, join);
  await onText?.(valueText(outcome.output));
  return outcome;
}

/** The answer that most give; among equals the first. */
function majority(results: readonly AgentResult[]): Value {
  const votes = new Map<string, { output: Value; count: number }>();
  for (const { output } of results) {
    const key = valueText(output).trim().toLowerCase();
    const vote = votes.get(key) ?? { output, count: 0 };
    vote.count++;
    votes.set(key, vote);
  }
  return [...votes.values()].reduce((best, vote) => (vote.count > best.count ? vote : best)).output;
}

/** Who answers, and what it took to ask an agent for that. */
async function choose(
  members: readonly Agent[],
  router: Router | undefined,
  context: Context,
  request: AgentRequest,
): Promise<{ chosen: Agent; asked: AgentResult[] }> {
  if (!router) return { chosen: bestFit(members, request.prompt), asked: [] };
  const names = members.map(({ name }) => name);
  const asked = typeof router === 'function' ? [] : [await router.execute(context, { prompt: routerPrompt(members, request.prompt) })];
  const answer = typeof router === 'function' ? await askFunction(context, router, [request.prompt, names]) : (asked[0]?.output ?? null);
  const text = valueText(answer).toLowerCase().trim();
  const chosen = members.find(({ name }) => text === name.toLowerCase()) ?? members.find(({ name }) => text.includes(name.toLowerCase()));
  if (!chosen)
    throw new ScriptError('NOT_FOUND', `${context.method}: the router chose ${JSON.stringify(text.slice(0, 80))}, which is none of ${names.join(', ')}`);
  return { chosen, asked };
}

function askFunction(context: Context, router: Callback, args: Value[]): Promise<Value> {
  return context.run.get(lines).waiting(context, () => context.invoke(router, args));
}

function routerPrompt(members: readonly Agent[], prompt: string): string {
  return `Which agent should answer? Reply with its name only.\n${members.map(({ name, config }) => `- ${name}: ${config.description}`).join('\n')}\n\nRequest: ${prompt}`;
}

function bestFit(members: readonly Agent[], prompt: string): Agent {
  const wanted = new Set(prompt.toLowerCase().match(/[\p{L}\p{N}]{3,}/gu) ?? []);
  const score = ({ name, config }: Agent) =>
    `${name} ${config.description}`
      .toLowerCase()
      .match(/[\p{L}\p{N}]{3,}/gu)
      ?.filter((word) => wanted.has(word)).length ?? 0;
  return members.reduce((best, member) => (score(member) > score(best) ? member : best));
}

function outcomeOf(results: readonly AgentResult[], join: (results: readonly AgentResult[]) => Value): Outcome {
  const usage = results.reduce<TokenUsage>(
    (sum, one) => usageOf(sum.input_tokens + one.usage.input_tokens, sum.output_tokens + one.usage.output_tokens, sum.cached_tokens + one.usage.cached_tokens),
    usageOf(0, 0),
  );
  const costs = results.map(({ cost_usd }) => cost_usd);
  return {
    output: join(results),
    usage,
    model: [...new Set(results.map(({ model }) => model))].join(', '),
    finish_reason: results.at(-1)?.finish_reason ?? 'stop',
    tool_calls: results.flatMap(({ tool_calls }) => tool_calls),
    steps: results.reduce((sum, { steps }) => sum + steps, 0),
    cost_usd: costs.every((cost) => cost !== undefined) ? costs.reduce((sum, cost) => sum + cost, 0) : undefined,
    added: [],
  };
}
