import { anyMap } from '../../call/schema.ts';
import { pipelineOf } from '../../rag/pipeline.ts';
import { retrieve } from '../../rag/retrieve.ts';
import { z } from '../../zod.ts';
import { defineTool } from '../tool.ts';

/** Retrieval for agents and workflow steps, from the knowledge of the run's own tenant. */
export const knowledgeSearch = defineTool(
  {
    name: 'knowledge_search',
    description: 'Searches the documents that were ingested, by words and by meaning',
    category: 'knowledge',
    tags: ['rag', 'retrieval', 'documents', 'search'],
    input: z.strictObject({
      query: z.string().min(1).max(10_000),
      top_k: z.int().min(1).max(50).default(5),
      metadata_filters: anyMap.optional(),
      mode: z.enum(['hybrid', 'vector', 'keyword']).default('hybrid'),
      rerank: z.boolean().default(true),
    }),
    output: z.object({
      passages: z.array(z.object({ content: z.string(), source: z.string(), document_id: z.string(), heading: z.string(), score: z.number() })),
    }),
    examples: [
      {
        lua: `RAG.ingest_documents("global", {{content = "The ferry leaves at noon."}})\nprint(Tool.execute("knowledge_search", {query = "ferry"}).passages[1].content)`,
        javascript: `RAG.ingest_documents("global", [{content: "The ferry leaves at noon."}])\nprint(Tool.execute("knowledge_search", {query: "ferry"}).passages[0].content)`,
      },
    ],
    async execute(input, context) {
      const hits = await retrieve(context, pipelineOf(context, context.run.tenant), input);
      return {
        passages: hits.map(({ chunk, document, score }) => ({
          content: chunk.text,
          source: document.source ?? document.id,
          document_id: document.id,
          heading: (chunk.headings ?? []).join(' › '),
          score,
        })),
      };
    },
  },
  'builtin',
);
