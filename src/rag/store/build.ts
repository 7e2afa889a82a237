import { ScriptError } from '../../errors.ts';
import type { GraphSettings } from '../../vector/hnsw.ts';
import type { BuildProgress } from '../knowledge.ts';

/** Makes a graph of a base's vectors and writes it to a path where nothing is yet. */
export interface BuildTask {
  readonly kind: 'build';
  readonly database: string;
  readonly base: number;
  readonly path: string;
  readonly settings: GraphSettings;
  /** An earlier graph that only lacks the vectors behind `last`. */
  readonly extend: { readonly path: string; readonly last: number } | undefined;
}

/** Compares a file with its hash. */
export interface CheckTask {
  readonly kind: 'check';
  readonly path: string;
  readonly size: number;
  readonly sha256: string;
}

export interface BuildResult {
  /** Place in the log and number of the last chunk that it contains. */
  readonly seq: number;
  readonly last: number;
  readonly entries: number;
  /** Measured with vectors that were kept back, at `fetch` candidates; no `fetch` where none gives enough. */
  readonly recall: number;
  readonly fetch: number | undefined;
  readonly size: number;
  readonly sha256: string;
}

export type WorkerAnswer = { readonly done: number; readonly total: number } | { readonly result: BuildResult | boolean } | { readonly error: string };

/** Builds in a thread of its own. Throws CANCELLED by the signal and STORE_FAILED when it is impossible. */
export function buildGraph(task: BuildTask, onProgress: BuildProgress | undefined, signal: AbortSignal): Promise<BuildResult> {
  return inWorker(task, signal, onProgress) as Promise<BuildResult>;
}

/** Whether a file is there and has its size and hash; read in a thread of its own. */
export async function checkFile(task: CheckTask, signal: AbortSignal): Promise<boolean> {
  try {
    return (await inWorker(task, signal)) === true;
  } catch (error) {
    if (signal.aborted) throw error;
    return false;
  }
}

function inWorker(task: BuildTask | CheckTask, signal: AbortSignal, onProgress?: BuildProgress): Promise<BuildResult | boolean> {
  const cancelled = () => new ScriptError('CANCELLED', 'the making of the vector index was cancelled');
  if (signal.aborted) return Promise.reject(cancelled());
  const file = import.meta.url.endsWith('.ts') ? './build-worker.ts' : './build-worker.js';
  const { Worker } = process.getBuiltinModule('node:worker_threads');
  const worker = new Worker(new URL(file, import.meta.url), { workerData: task });
  return new Promise<BuildResult | boolean>((resolve, reject) => {
    const fail = (reason: string) => reject(new ScriptError('STORE_FAILED', `the vector index could not be made: ${reason}`));
    signal.addEventListener('abort', () => reject(cancelled()), { once: true });
    worker.on('message', (answer: WorkerAnswer) => {
      if ('result' in answer) resolve(answer.result);
      else if ('error' in answer) fail(answer.error);
      else onProgress?.(answer.done, answer.total);
    });
    worker.once('error', (error) => fail(error instanceof Error ? error.message : String(error)));
    worker.once('exit', () => fail('its thread ended'));
  }).finally(() => void worker.terminate());
}
