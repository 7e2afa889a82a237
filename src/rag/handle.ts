import type { HandleType } from '../call/value.ts';
import type { PipelineSpec } from './pipeline.ts';

/** What stands behind a pipeline handle: opened anew at each call, since another call may have stored settings meanwhile. */
export interface RagHandle {
  readonly tenant: string;
  readonly spec: PipelineSpec;
}

/** Handles of pipelines as scripts see them. */
export const RAG_HANDLE: HandleType<RagHandle> = { name: 'RagPipeline', fields: ({ tenant, spec }) => ({ name: spec.name, tenant_id: tenant }) };
