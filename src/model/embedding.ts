/** An embedding model under its name `provider/model`. */
export interface EmbeddingModel {
  readonly name: string;
  /** Undefined where only the first answer tells. */
  readonly dimensions: number | undefined;
  /** Texts in one request at most. */
  readonly batch: number;
  /** One vector per text, in order, of one length, normalised to length 1. Throws MODEL_FAILED with outcome, retryable, status and retry_after_ms. */
  embed(texts: readonly string[], signal: AbortSignal): Promise<Float32Array[]>;
}
