import { inOneTurn } from '../../call/breath.ts';
import { type Context, type Host, hostService } from '../../call/context.ts';
import { whenReady } from '../../call/soon.ts';
import type { Value, ValueMap } from '../../call/value.ts';
import { log } from '../../log/log.ts';
import { inWorker } from '../../worker/pool.ts';
import type { BuiltinHook } from './builtin.ts';
import type { RedactTask } from './redact-task.ts';
import { type Replace, redactValue, replacing } from './sensitive.ts';
import { settingsOf } from './settings.ts';
import { tell } from './tell.ts';

/** Longer texts are redacted beside the event loop. */
const LONG = 32_768;
const DEADLINE_MS = 30_000;
const TASK = new URL('./redact-task.ts', import.meta.url);

/** What `[hooks.redact]` takes out, and where. */
export interface Redaction {
  readonly input: boolean;
  /** True when answers of models are redacted: then nothing of them may be shown before they are whole. */
  readonly output: boolean;
  readonly log: boolean;
  readonly replace: Replace;
}

/** The redaction of a runtime. Throws a plain error for an expression that is none. */
export const redaction = hostService<Redaction>('redaction', ({ config }) => {
  const settings = settingsOf(config, 'redact');
  if (!settings) return { input: false, output: false, log: false, replace: (text) => text };
  const { apply } = settings;
  return {
    input: apply.includes('model_input'),
    output: apply.includes('model_output'),
    log: apply.includes('log'),
    replace: replacing(settings),
  };
});

/** `[hooks.redact]`: takes personal data and keys out of what goes to models, what comes from them, and the log. */
export function redactHooks(host: Host): BuiltinHook[] {
  const settings = settingsOf(host.config, 'redact');
  if (!settings) return [];
  const { patterns, custom, replacement } = settings;
  const { input, output, log: logs, replace } = host.get(redaction);
  if (logs)
    host.get(log).change((entry) => ({ ...entry, message: replace(entry.message), fields: redactValue(entry.fields as ValueMap, replace) as ValueMap }));
  /** As `redactValue`, over several turns of the event loop where there is much; a long text beside it. */
  const redacted = ({ run, signal }: Context, value: Value) =>
    redactValue(value, (text) => {
      if (text.length <= LONG) return inOneTurn(run.cpu, () => replace(text));
      const task: RedactTask = { settings: { patterns, custom, replacement }, text };
      return inWorker<string>(TASK, task, { deadlineMs: DEADLINE_MS, run, signal });
    });
  const hooks: BuiltinHook[] = [];
  if (input)
    hooks.push({
      name: 'redact',
      point: 'agent:before_model_call',
      options: OPTIONS,
      call(ctx, context) {
        const request = ctx.input as ValueMap;
        return whenReady(redacted(context, request.messages ?? []), (messages) => {
          if (messages === request.messages) return;
          tell(context, 'redact.applied', { to: 'model_input', model: ctx.model ?? null });
          return { input: { ...request, messages } };
        });
      },
    });
  if (output)
    hooks.push({
      name: 'redact',
      point: 'agent:after_model_call',
      options: OPTIONS,
      call(ctx, context) {
        const answer = ctx.output as ValueMap;
        const parts: Value = { content: answer.content ?? '', tool_calls: answer.tool_calls ?? [] };
        return whenReady(redacted(context, parts), (changed) => {
          if (changed === parts) return;
          tell(context, 'redact.applied', { to: 'model_output', model: ctx.model ?? null });
          return { output: { ...answer, ...(changed as ValueMap) } };
        });
      },
    });
  return hooks;
}

/** Nothing leaves unredacted because the redaction failed. */
const OPTIONS = { on_error: 'fail', timeout_ms: DEADLINE_MS } as const;
