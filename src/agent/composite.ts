import type { Context } from '../call/context.ts';
import type { Callback, Value } from '../call/value.ts';
import { ScriptError } from '../errors.ts';
import { type TokenUsage, usageOf, valueText } from '../model/model.ts';
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
    async answer(agent, context, request) {
      if (request.session && strategy !== 'route')
        throw new ScriptError(
          'BAD_ARGUMENT',
          `${context.method}: session: ${agent.name} asks several agents, which cannot share one session; give it to one of them`,
        );
      switch (strategy) {
        case 'sequential':
          return inSequence(members, context, request);
        case 'parallel':
          return sideBySide(members, context, request, (results) => results.map(({ output }, at) => ({ agent: members[at]?.name ?? '', output })));
        case 'vote':
          return sideBySide(members, context, request, majority);
        case 'route': {
          const chosen = await choose(members, router, context, request);
          return outcomeOf([await chosen.execute(context, request)], (results) => results[0]?.output ?? null);
        }
      }
    },
  };
}

/** Each gets the answer of the one before as its prompt. */
async function inSequence(members: readonly Agent[], context: Context, request: AgentRequest): Promise<Outcome> {
  const results: AgentResult[] = [];
  let next = request;
  for (const member of members) {
    const result = await member.execute(context, next);
    results.push(result);
    next = { prompt: valueText(result.output) };
  }
  return outcomeOf(results, (all) => all.at(-1)?.output ?? null);
}

async function sideBySide(
  members: readonly Agent[],
  context: Context,
  request: AgentRequest,
  join: (results: readonly AgentResult[]) => Value,
): Promise<Outcome> {
  return outcomeOf(await Promise.all(members.map((member) => member.execute(context, request))), join);
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

async function choose(members: readonly Agent[], router: Router | undefined, context: Context, request: AgentRequest): Promise<Agent> {
  const names = members.map(({ name }) => name);
  if (!router) return bestFit(members, request.prompt);
  const answer =
    typeof router === 'function'
      ? await context.invoke(router, [request.prompt, names])
      : (await router.execute(context, { prompt: routerPrompt(members, request.prompt) })).output;
  const text = valueText(answer).toLowerCase();
  const chosen = members.find(({ name }) => text === name.toLowerCase()) ?? members.find(({ name }) => text.includes(name.toLowerCase()));
  if (!chosen) throw new ScriptError('NOT_FOUND', `the router chose ${JSON.stringify(text.slice(0, 80))}, which is none of ${names.join(', ')}`);
  return chosen;
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
