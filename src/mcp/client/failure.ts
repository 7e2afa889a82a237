import { ScriptError } from '../../errors.ts';

/** What an error of a server carries for those who decide whether to try again. */
export interface McpFailure {
  readonly outcome: 'not_sent' | 'unknown' | 'failed';
  readonly retryable: boolean;
  readonly status?: number | undefined;
  /** The error's code in the protocol. */
  readonly mcp_code?: number | undefined;
}

const MOST_TEXT = 2_000;

/** A TOOL_FAILED error about a server: one sentence that begins with its name. */
export function mcpFailed(server: string, problem: string, failure: McpFailure, cause?: unknown): ScriptError {
  const details = Object.fromEntries(Object.entries({ server, ...failure }).filter(([, value]) => value !== undefined));
  return new ScriptError('TOOL_FAILED', `MCP server ${server}: ${problem}`, { details, cause });
}

/** An error as the library throws it; recognised by shape so that the library need not be loaded. */
interface LibraryError extends Error {
  readonly code?: string | number;
  readonly data?: { readonly status?: number };
  readonly status?: number;
}

/** What the library threw as our error; `problem` is what the connection itself knows about its end. */
export function translateFailure(server: string, error: unknown, problem: string | undefined, sent: boolean): ScriptError {
  if (error instanceof ScriptError) return error;
  const { code, name, data, status: direct } = error as LibraryError;
  const outcome = sent ? 'unknown' : 'not_sent';
  if (problem !== undefined) return mcpFailed(server, problem, { outcome, retryable: true }, error);
  const text = oneLine(error instanceof Error ? error.message : String(error));
  if (typeof code === 'number') {
    if (code === -32601 || code === -32602)
      return mcpFailed(server, `refused the request: ${text}`, { outcome: 'failed', retryable: false, mcp_code: code }, error);
    return mcpFailed(server, `answered with an error: ${text}`, { outcome: 'failed', retryable: false, mcp_code: code }, error);
  }
  const status = data?.status ?? direct;
  if (status !== undefined && status >= 400) return httpFailure(server, status, error);
  const system = systemCode(error);
  if (system === 'ECONNREFUSED' || system === 'ENOTFOUND' || system === 'EAI_AGAIN' || system === 'UND_ERR_CONNECT_TIMEOUT')
    return mcpFailed(server, `cannot be reached (${system})`, { outcome: 'not_sent', retryable: true }, error);
  if (system !== undefined) return mcpFailed(server, `the connection broke (${system})`, { outcome, retryable: true }, error);
  switch (code) {
    case 'CONNECTION_CLOSED':
    case 'NOT_CONNECTED':
    case 'SEND_FAILED':
      return mcpFailed(server, 'the connection ended', { outcome, retryable: true }, error);
    case 'REQUEST_TIMEOUT':
      return mcpFailed(server, 'does not answer', { outcome, retryable: true }, error);
    case 'UNSUPPORTED_RESULT_TYPE':
      return mcpFailed(server, 'asks for the input of a person, which a script cannot give', { outcome: 'failed', retryable: false }, error);
    case 'CLIENT_HTTP_UNEXPECTED_CONTENT':
    case 'ERA_NEGOTIATION_FAILED':
    case 'INVALID_RESULT':
    case 'LIST_PAGINATION_EXCEEDED':
      return mcpFailed(server, 'answered with something that is no valid MCP', { outcome: 'failed', retryable: false }, error);
  }
  if (/redirect/i.test(text)) return mcpFailed(server, 'redirects to another address, which is not followed', { outcome: 'failed', retryable: false }, error);
  if (name === 'ZodError' || name === 'SyntaxError')
    return mcpFailed(server, 'answered with something that is no valid MCP', { outcome: 'failed', retryable: false }, error);
  return mcpFailed(server, `the connection failed: ${text}`, { outcome, retryable: true }, error);
}

function httpFailure(server: string, status: number, error: unknown): ScriptError {
  const fields = { outcome: 'failed', status } as const;
  if (status === 401 || status === 403) return mcpFailed(server, `refuses the token (HTTP ${status}); see token_env`, { ...fields, retryable: false }, error);
  if (status === 429) return mcpFailed(server, 'limits the rate (HTTP 429)', { ...fields, retryable: true }, error);
  if (status >= 500) return mcpFailed(server, `has a failure (HTTP ${status})`, { ...fields, retryable: true }, error);
  return mcpFailed(server, `refuses the request (HTTP ${status})`, { ...fields, retryable: false }, error);
}

/** True for an answer that says that the session is not known any more, so that nothing was done. */
export function sessionGone(error: unknown): boolean {
  const { data, status } = error as LibraryError;
  return (data?.status ?? status) === 404;
}

function systemCode(error: unknown): string | undefined {
  for (let cause = error, depth = 0; cause instanceof Error && depth < 5; cause = cause.cause, depth++) {
    const { code } = cause as LibraryError;
    if (typeof code === 'string' && /^(?:E[A-Z]+|UND_ERR_\w+)$/.test(code)) return code;
  }
  return undefined;
}

/** A server's text in one line of bounded length. */
export function oneLine(text: string): string {
  return text.replaceAll(/\s+/g, ' ').trim().slice(0, MOST_TEXT);
}
