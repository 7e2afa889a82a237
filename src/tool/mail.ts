import { connect, type Socket } from 'node:net';
import type { SendMailOptions } from 'nodemailer';
import type { Context } from '../call/context.ts';
import type { Config } from '../config/config.ts';
import { ScriptError } from '../errors.ts';

type EmailSettings = NonNullable<Config['tools']['email']>;

const PORTS = { tls: 465, starttls: 587, none: 25 } as const;
const CONNECT_MS = 10_000;
const SILENCE_MS = 20_000;

/** The password of the configured server, if it has one. Throws BAD_CONFIG when its variable is not set. */
export function mailPassword({ method }: Context, { password_env }: EmailSettings): string | undefined {
  if (password_env === undefined) return undefined;
  const value = process.env[password_env];
  if (!value) throw new ScriptError('BAD_CONFIG', `${method}: the environment variable ${password_env} is not set`);
  return value;
}

/** Hands a message to the configured server. Throws TOOL_FAILED with `details.outcome` and `details.retryable`; a cancelled call closes the connection. */
export async function sendMail(context: Context, settings: EmailSettings, password: string | undefined, message: SendMailOptions) {
  const { default: nodemailer } = await import('nodemailer');
  const { host, security, user, port = PORTS[security] } = settings;
  const socket = await open(context, host, port);
  const stop = () => socket.destroy();
  context.signal.addEventListener('abort', stop, { once: true });
  const transport = nodemailer.createTransport({
    host,
    port,
    connection: socket,
    secure: security === 'tls',
    requireTLS: security === 'starttls',
    ignoreTLS: security === 'none',
    tls: { servername: host },
    name: 'llmspell',
    greetingTimeout: CONNECT_MS,
    socketTimeout: SILENCE_MS,
    // Nothing of a message is read from files or addresses.
    disableFileAccess: true,
    disableUrlAccess: true,
    ...(user !== undefined && { auth: { user, pass: password ?? '' } }),
  });
  try {
    const { messageId, accepted, rejected } = await transport.sendMail(message);
    return { message_id: messageId, accepted: accepted.map(textOf), rejected: rejected.map(textOf) };
  } catch (error) {
    if (context.signal.aborted) throw context.signal.reason;
    throw explain(context, error, host);
  } finally {
    context.signal.removeEventListener('abort', stop);
    socket.destroy();
  }
}

function open(context: Context, host: string, port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host, port });
    const failed = (why: string, cause?: unknown) => {
      socket.destroy();
      reject(new ScriptError('TOOL_FAILED', `${context.method}: the mail server ${why}`, { cause, details: { outcome: 'not_sent', retryable: true } }));
    };
    const stop = () => {
      socket.destroy();
      reject(context.signal.reason);
    };
    context.signal.addEventListener('abort', stop, { once: true });
    socket.setTimeout(CONNECT_MS, () => failed('did not answer in time'));
    socket.once('error', (error: NodeJS.ErrnoException) => failed(`cannot be reached (${error.code})`, error));
    socket.once('connect', () => {
      socket.setTimeout(0);
      socket.removeAllListeners('timeout').removeAllListeners('error');
      context.signal.removeEventListener('abort', stop);
      resolve(socket);
    });
  });
}

/** SMTP's answers (RFC 5321, 4.2.1): 4yz may work later, 5yz will not. */
function explain(context: Context, error: unknown, host: string): ScriptError {
  const { responseCode, response, code } = error as { responseCode?: number; response?: string; code?: string };
  const said = response === undefined ? '' : `: ${response.replaceAll(/\s+/g, ' ').slice(0, 200)}`;
  const what =
    code === 'EAUTH'
      ? 'refused the user or password'
      : code === 'ETLS'
        ? `cannot be talked to safely; set tools.email.security for ${host}`
        : responseCode === undefined
          ? 'closed the connection or fell silent'
          : `answered ${responseCode}`;
  const outcome = responseCode !== undefined ? 'failed' : code === 'ETLS' ? 'not_sent' : 'unknown';
  return new ScriptError('TOOL_FAILED', `${context.method}: the mail server ${what}${code === 'EAUTH' ? '' : said}`, {
    details: {
      outcome,
      retryable: responseCode === undefined ? code !== 'ETLS' && code !== 'EAUTH' : responseCode < 500,
      ...(responseCode !== undefined && { status: responseCode }),
    },
  });
}

function textOf(address: string | { address: string }): string {
  return typeof address === 'string' ? address : address.address;
}
