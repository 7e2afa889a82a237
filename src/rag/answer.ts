import { agents } from '../agent/agents.ts';
import { doneInTurns } from '../call/breath.ts';
import type { Context } from '../call/context.ts';
import { ScriptError } from '../errors.ts';
import type { TokenUsage } from '../model/model.ts';
import { assemble, type Citation } from './assemble.ts';
import type { Hit } from './knowledge.ts';
import type { Pipeline } from './pipeline.ts';
import { type Quotation, verifyQuotations } from './quotations.ts';
import { retrieve, type Widen } from './retrieve.ts';
import type { Query } from './schemas.ts';

export type Question = Query & {
  /** Who answers; `local/extractive` if not given. */
  readonly model?: string | undefined;
  readonly system_prompt?: string | undefined;
  /** Room for the passages, in tokens; 2,000 if not given. */
  readonly max_tokens?: number | undefined;
};

export type Answer = {
  output: string;
  citations: Citation[];
  quotations: Quotation[];
  usage: TokenUsage;
  model: string;
  cost_usd?: number;
};

export const MAX_CONTEXT_TOKENS = 2_000;
const MODEL = 'local/extractive';
const INSTRUCTION =
  'Answer the question from the numbered passages alone. Quote the decisive words exactly, in quotation marks, each followed by its passage as [1]. When the passages do not answer the question, say so.';
const NOTHING = 'The knowledge base has nothing on this question.';

/** Retrieves, lets a model answer from the passages, and looks up every quoted span: one that no source has is marked in the answer. */
export async function answer(context: Context, pipeline: Pipeline, question: Question, widen?: Widen): Promise<Answer & { hits: Hit[] }> {
  const hits = await retrieve(context, pipeline, { rerank: true, ...question }, widen);
  const { text, citations } = assemble(hits, question.max_tokens ?? MAX_CONTEXT_TOKENS);
  const model = question.model ?? MODEL;
  if (citations.length === 0)
    return { output: NOTHING, citations, quotations: [], usage: { input_tokens: 0, output_tokens: 0, total_tokens: 0, cached_tokens: 0 }, model, hits };
  const spec = { model, system_prompt: question.system_prompt ?? INSTRUCTION };
  const result = await context.run.get(agents).executeOnce(context, spec, { prompt: question.query, context: text });
  if (typeof result.output !== 'string') throw new ScriptError('MODEL_FAILED', `${context.method}: ${model} answered with no text`);
  const verifying = verifyQuotations(result.output, question.query, citations, (id) => pipeline.base.text(id));
  const { text: output, quotations } = await doneInTurns(context.run.cpu, verifying);
  const { usage, cost_usd } = result;
  return { output, citations, quotations, usage, model: result.model, ...(cost_usd !== undefined && { cost_usd }), hits };
}
