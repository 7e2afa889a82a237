/** What a vector is for: a query is compared with documents. */
export type EmbeddingPurpose = 'document' | 'query';

/** An embedding model under its name `provider/model`. */
export interface EmbeddingModel {
  readonly name: string;
  /** Undefined where only the first answer tells. */
  readonly dimensions: number | undefined;
  /** Texts in one request at most. */
  readonly batch: number;
  /** Its vectors are not kept: they are made faster than they are looked up. */
  readonly uncached?: true;
  /**
   * One vector per text, in order, of one length, normalised to length 1. `onTokens` hears how many tokens the provider counted, where it does.
   * Throws MODEL_FAILED with outcome, retryable, status and retry_after_ms.
   */
  embed(texts: readonly string[], signal: AbortSignal, onTokens?: (tokens: number) => void, purpose?: EmbeddingPurpose): Promise<Float32Array[]>;
}
