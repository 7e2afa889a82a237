import { quoted } from '../call/check/failure.ts';
import type { Context } from '../call/context.ts';
import { toJsonTextSoon } from '../call/json.ts';
import type { Value } from '../call/value.ts';
import type { Config } from '../config/config.ts';
import { asScriptError, ScriptError } from '../errors.ts';
import { events } from '../event/bus.ts';
import { type LogLevel, runLog } from './log.ts';

export const SEVERITIES = ['info', 'warning', 'error', 'critical'] as const;
export type Severity = (typeof SEVERITIES)[number];

const LEVELS: Readonly<Record<Severity, LogLevel>> = { info: 'info', warning: 'warn', error: 'error', critical: 'error' };
const WEBHOOK_TIMEOUT_MS = 10_000;

export interface AlertOptions {
  readonly severity?: Severity | undefined;
  /** One of the configured channels; all of them if not given. */
  readonly channel?: string | undefined;
}

type Channel = Config['alerts']['channels'][string];
type Alert = { readonly title: string; readonly severity: Severity; readonly payload: Value };

export interface AlertResult {
  readonly delivered: string[];
  readonly failed: { channel: string; error: string }[];
}

/** Tells people: the log, the event `alert.<severity>`, and the channels of the configuration. Throws NOT_FOUND for an unknown channel. */
export async function sendAlert(context: Context, title: string, payload: Value, { severity = 'warning', channel }: AlertOptions): Promise<AlertResult> {
  const { run } = context;
  const { channels } = run.host.config.alerts;
  if (channel !== undefined && !channels[channel])
    throw new ScriptError(
      'NOT_FOUND',
      `Alert.send: channel: no alert channel ${quoted(channel)} is configured; there ${Object.keys(channels).length === 0 ? 'are none' : `are ${Object.keys(channels).join(', ')}`} ([alerts.channels])`,
    );
  run.get(runLog).write(LEVELS[severity], `alert: ${title}`, { payload });
  await run.get(events).announce(context, `alert.${severity}`, { title, payload });
  const chosen = channel === undefined ? Object.entries(channels) : [[channel, channels[channel] as Channel] as const];
  const alert = { title, severity, payload };
  const delivered: string[] = [];
  const failed: { channel: string; error: string }[] = [];
  await Promise.all(
    chosen.map(async ([name, to]) => {
      const error = await (to.webhook === undefined ? mail(context, to.email ?? [], alert) : post(context, to.webhook, alert));
      if (error === undefined) delivered.push(name);
      else failed.push({ channel: name, error });
    }),
  );
  return { delivered, failed };
}

/** Posts an alert as JSON to an address of the configuration; answers what went wrong, without the address. */
async function post({ run, signal }: Context, url: string, { payload, ...told }: Alert): Promise<string | undefined> {
  try {
    // The payload by itself: inside of something it may be nested too deeply.
    const about = await toJsonTextSoon(run.cpu, { ...told, run_id: run.id, tenant: run.tenant });
    const body = `${about.slice(0, -1)},"payload":${await toJsonTextSoon(run.cpu, payload, { describe: true })}}`;
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body,
      signal: AbortSignal.any([signal, AbortSignal.timeout(WEBHOOK_TIMEOUT_MS)]),
    });
    await response.body?.cancel();
    return response.ok ? undefined : `the webhook answered ${response.status}`;
  } catch (error) {
    if (signal.aborted) throw error;
    return error instanceof Error && error.name === 'TimeoutError'
      ? `the webhook did not answer within ${WEBHOOK_TIMEOUT_MS / 1000} s`
      : 'the webhook cannot be reached';
  }
}

/** Sends an alert by the configured mail server to addresses of the configuration; answers what went wrong. */
async function mail(context: Context, to: readonly string[], { title, severity, payload }: Alert): Promise<string | undefined> {
  const { run } = context;
  const settings = run.host.config.tools.email;
  if (!settings) return 'no mail server is configured ([tools.email])';
  const { mailPassword, sendMail } = await import('../tool/mail.ts');
  const text = `${title}\n\n${await toJsonTextSoon(run.cpu, payload, { pretty: true, describe: true })}\n\nrun ${run.id} of tenant ${run.tenant}\n`;
  try {
    const subject = `${severity}: ${title}`.slice(0, 1_000).replaceAll(/\s+/g, ' ').slice(0, 200);
    const { rejected } = await sendMail(context, settings, mailPassword(context, settings), { from: settings.from, to: [...to], subject, text });
    return rejected.length === 0 ? undefined : `the mail server refused ${rejected.length} of ${to.length} addresses`;
  } catch (error) {
    if (context.signal.aborted) throw error;
    return asScriptError(error).message.replace(`${context.method}: `, '');
  }
}
