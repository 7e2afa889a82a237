import { ScriptError } from '../errors.ts';

/** What a provider's error carries for those who decide whether to try again. */
export interface ModelFailure {
  readonly outcome: 'not_sent' | 'unknown' | 'failed';
  readonly retryable: boolean;
  readonly status?: number | undefined;
  readonly retry_after_ms?: number | undefined;
}

/** A MODEL_FAILED error: one sentence that begins with the model's name. */
export function modelFailed(model: string, problem: string, failure: ModelFailure, cause?: unknown): ScriptError {
  const details = Object.fromEntries(Object.entries({ model, ...failure }).filter(([, value]) => value !== undefined));
  return new ScriptError('MODEL_FAILED', `${model}: ${problem}`, { details, cause });
}

/** The fields of the library's `APICallError` that matter here; recognised by shape so that no provider has to be loaded. */
interface ApiError extends Error {
  readonly statusCode?: number;
  readonly responseHeaders?: Readonly<Record<string, string>>;
  readonly isRetryable?: boolean;
}

const NOT_SENT = new Set([
  'ECONNREFUSED',
  'ENOTFOUND',
  'EAI_AGAIN',
  'UND_ERR_CONNECT_TIMEOUT',
  'EHOSTUNREACH',
  'ENETUNREACH',
  'CERT_HAS_EXPIRED',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
]);

/** A provider's error as ours: what happened, whether the request reached it, whether another try may help; never a secret. */
export function translateFailure(model: string, error: unknown, secret: string | undefined): ScriptError {
  if (error instanceof ScriptError) return error;
  const { statusCode, responseHeaders, isRetryable, name } = error as ApiError;
  const text = cleanText(error instanceof Error ? error.message : String(error), secret);
  if (statusCode !== undefined && statusCode >= 400) {
    const retry_after_ms = retryAfter(responseHeaders ?? {});
    return modelFailed(model, `${meaning(statusCode)} (HTTP ${statusCode}): ${text}`, {
      outcome: 'failed',
      retryable: isRetryable === true || statusCode === 529,
      status: statusCode,
      retry_after_ms,
    });
  }
  const broken = connectionCode(error);
  const answered = statusCode !== undefined && broken === undefined;
  if (answered || /^AI_(JSONParse|TypeValidation|InvalidResponseData|EmptyResponseBody|NoContentGenerated)/.test(name))
    return modelFailed(model, `the provider's answer cannot be read: ${text}`, { outcome: 'failed', retryable: true, status: statusCode });
  const code = broken;
  if ((code !== undefined && NOT_SENT.has(code)) || (code === undefined && /^Cannot connect to API/.test(text)))
    return modelFailed(model, `the provider cannot be reached${code === undefined ? '' : ` (${code})`}`, {
      outcome: 'not_sent',
      retryable: code !== 'ENOTFOUND',
    });
  if (/^AI_(UnsupportedFunctionality|InvalidPrompt|InvalidArgument|LoadSetting|NoSuchModel)/.test(name))
    return modelFailed(model, text, { outcome: 'not_sent', retryable: false });
  return modelFailed(
    model,
    `the connection broke before the answer was complete${code === undefined ? '' : ` (${code})`}`,
    { outcome: 'unknown', retryable: true },
    text,
  );
}

function meaning(status: number): string {
  if (status === 401 || status === 403) return 'the provider refused the key';
  if (status === 404) return 'the provider does not know this model';
  if (status === 429) return 'the provider limits the rate';
  if (status >= 500) return 'the provider has a failure';
  return 'the provider refused the request';
}

/** Providers quote parts of keys in their messages. */
function cleanText(text: string, secret: string | undefined): string {
  const plain = secret ? text.replaceAll(secret, '***') : text;
  return plain
    .replaceAll(/\b(?:sk|gsk|xai|key|AIza)[-_A-Za-z0-9*]{8,}/g, '***')
    .replaceAll(/\s+/g, ' ')
    .slice(0, 500)
    .trim();
}

function connectionCode(error: unknown): string | undefined {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++) {
    const { code, errors } = cause as Error & { code?: unknown; errors?: unknown[] };
    if (typeof code === 'string') return code;
    if (errors?.[0]) return connectionCode(errors[0]);
  }
  return undefined;
}

/** The wait that `retry-after-ms` or `retry-after` (seconds, or a date) asks for, in ms. */
export function retryAfter(headers: Readonly<Record<string, string>>, now = Date.now()): number | undefined {
  const ms = Number.parseFloat(headers['retry-after-ms'] ?? '');
  if (ms >= 0) return ms;
  const text = headers['retry-after'];
  if (text === undefined) return undefined;
  const seconds = Number(text);
  if (seconds >= 0) return seconds * 1000;
  const date = Date.parse(text);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
