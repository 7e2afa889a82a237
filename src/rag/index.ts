export { answer } from './answer.ts';
export { toChunking } from './chunk/chunk.ts';
export { ingest } from './ingest.ts';
export { openPipeline, type Pipeline, pipelineOf, setUp } from './pipeline.ts';
export { chunksFor, citationsFor, contextFor, quotationsFor } from './present.ts';
export { retrieve } from './retrieve.ts';
export { conversationOf } from './turns.ts';
export { cleanUp, deleteDocuments, getDocument, listDocuments, rebuild, statsOf } from './upkeep.ts';
