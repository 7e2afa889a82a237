import { quoted } from '../call/check/failure.ts';
import { decode, encode } from '../call/codec.ts';
import type { Context } from '../call/context.ts';
import type { ValueMap } from '../call/value.ts';
import { ScriptError } from '../errors.ts';
import { storeOf } from '../state/state.ts';

/** A named configuration to make agents from; data only. */
export type AgentTemplate = ValueMap & { name: string };

/** Where registered configurations are kept: no scope that scripts can name. */
const SCOPE = 'agents';

const BUILTIN: readonly AgentTemplate[] = [
  {
    name: 'assistant',
    description: 'Answers questions helpfully and briefly',
    model: 'local/extractive',
    system_prompt: 'You are a helpful assistant. Answer briefly and say when you do not know.',
  },
  {
    name: 'researcher',
    description: 'Answers from given material with quotations',
    model: 'local/extractive',
    system_prompt: 'Answer only from the given material. Quote the sentences that support each claim and name their source.',
  },
  {
    name: 'summarizer',
    description: 'Sums up long text',
    model: 'local/extractive',
    system_prompt: 'Sum up the text in a few sentences. Keep numbers, names and decisions.',
  },
  {
    name: 'reviewer',
    description: 'Reviews code or text',
    model: 'local/extractive',
    system_prompt: 'Review what you are given. List the most important problems first, each with where it is and how to mend it.',
  },
  {
    name: 'extractor',
    description: 'Turns text into data',
    model: 'local/extractive',
    system_prompt: 'Extract the asked-for facts from the text exactly as they stand there. Leave out what the text does not say.',
  },
];

/** Templates that come with the runtime, then those registered for the tenant. */
export async function listTemplates(context: Context): Promise<AgentTemplate[]> {
  const store = storeOf(context);
  const now = context.run.now();
  const names = await store.list(SCOPE, {}, now);
  const own = await Promise.all(names.map(async (name) => (await store.get(SCOPE, name, now))?.value));
  return [...BUILTIN, ...own.filter((value) => value !== undefined).map((value) => decode(value) as AgentTemplate)];
}

/** Keeps a configuration for the tenant, in place of an earlier one of the same name. */
export async function registerTemplate(context: Context, config: AgentTemplate): Promise<void> {
  if (BUILTIN.some(({ name }) => name === config.name))
    throw new ScriptError('BAD_ARGUMENT', `${context.method}: name: ${config.name} is a template of the runtime`);
  await storeOf(context).commit(
    [{ scope: SCOPE, key: config.name, put: { value: encode(config, `${context.method}: config`, context.run.language) } }],
    context.run.now(),
  );
}

/** The template of a name. Throws NOT_FOUND. */
export async function findTemplate(context: Context, name: string): Promise<AgentTemplate> {
  const all = await listTemplates(context);
  const found = all.find((template) => template.name === name);
  if (!found)
    throw new ScriptError('NOT_FOUND', `${context.method}: there is no template ${quoted(name)}; there are ${all.map((template) => template.name).join(', ')}`);
  return found;
}
