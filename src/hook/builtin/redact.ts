import { type Host, hostService } from '../../call/context.ts';
import type { Value, ValueMap } from '../../call/value.ts';
import { log } from '../../log/log.ts';
import type { BuiltinHook } from './builtin.ts';
import { customPattern, PATTERNS, type Replace, redactValue } from './sensitive.ts';
import { settingsOf } from './settings.ts';
import { tell } from './tell.ts';

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
  const { apply, patterns, custom, replacement } = settings;
  const steps = [
    ...Object.entries(custom).map(([name, expression]) => named(name, expression, replacement.replaceAll('{kind}', name))),
    ...patterns.map((name) => PATTERNS[name](replacement.replaceAll('{kind}', name))),
  ];
  return {
    input: apply.includes('model_input'),
    output: apply.includes('model_output'),
    log: apply.includes('log'),
    replace: (text) => steps.reduce((rest, step) => step(rest), text),
  };
});

function named(name: string, expression: string, replacement: string): Replace {
  try {
    return customPattern(expression, replacement);
  } catch (error) {
    throw new Error(`custom.${name}: ${error instanceof Error ? error.message : 'it is no regular expression'}`);
  }
}

/** `[hooks.redact]`: takes personal data and keys out of what goes to models, what comes from them, and the log. */
export function redactHooks(host: Host): BuiltinHook[] {
  if (!settingsOf(host.config, 'redact')) return [];
  const { input, output, log: logs, replace } = host.get(redaction);
  if (logs) host.get(log).change((entry) => ({ ...entry, message: replace(entry.message), fields: redactValue(entry.fields as ValueMap, replace) }));
  const hooks: BuiltinHook[] = [];
  if (input)
    hooks.push({
      name: 'redact',
      point: 'agent:before_model_call',
      options: OPTIONS,
      call(ctx, context) {
        const request = ctx.input as ValueMap;
        const messages = redactValue(request.messages ?? [], replace);
        if (messages === request.messages) return;
        tell(context, 'redact.applied', { to: 'model_input', model: ctx.model ?? null });
        return { input: { ...request, messages } };
      },
    });
  if (output)
    hooks.push({
      name: 'redact',
      point: 'agent:after_model_call',
      options: OPTIONS,
      call(ctx, context) {
        const answer = ctx.output as ValueMap;
        const changed: Value = { ...answer, content: redactValue(answer.content ?? '', replace), tool_calls: redactValue(answer.tool_calls ?? [], replace) };
        if (changed.content === answer.content && changed.tool_calls === answer.tool_calls) return;
        tell(context, 'redact.applied', { to: 'model_output', model: ctx.model ?? null });
        return { output: changed };
      },
    });
  return hooks;
}

/** Nothing leaves unredacted because the redaction failed. */
const OPTIONS = { on_error: 'fail' } as const;
