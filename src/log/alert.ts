import type { Context } from '../call/context.ts';
import { toPlain, type Value } from '../call/value.ts';
import { ScriptError } from '../errors.ts';
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
      `channel: no alert channel "${channel}" is configured; there ${Object.keys(channels).length === 0 ? 'are none' : `are ${Object.keys(channels).join(', ')}`} ([alerts.channels])`,
    );
  run.get(runLog).write(LEVELS[severity], `alert: ${title}`, { payload });
  await run.get(events).announce(context, `alert.${severity}`, { title, payload });
  const chosen = channel === undefined ? Object.entries(channels) : [[channel, channels[channel] as { webhook: string }] as const];
  const delivered: string[] = [];
  const failed: { channel: string; error: string }[] = [];
  await Promise.all(
    chosen.map(async ([name, { webhook }]) => {
      const error = await post(webhook, { title, severity, payload: toPlain(payload), run_id: run.id, tenant: run.tenant }, context.signal);
      if (error === undefined) delivered.push(name);
      else failed.push({ channel: name, error });
    }),
  );
  return { delivered, failed };
}

/** Posts JSON to an address of the configuration; answers what went wrong, without the address. */
async function post(url: string, body: unknown, signal: AbortSignal): Promise<string | undefined> {
  try {
    const response = await fetch(url, {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(body, (_, value) => (typeof value === 'bigint' ? String(value) : value)),
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
