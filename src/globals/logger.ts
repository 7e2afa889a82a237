import { builtinGlobal, type Method, method } from '../call/define.ts';
import { toJsonText } from '../call/json.ts';
import { anyMap, anyValue } from '../call/schema.ts';
import type { Value, ValueMap } from '../call/value.ts';
import { LOG_LEVELS } from '../config/config.ts';
import { type LogLevel, runLog } from '../log/log.ts';
import { z } from '../zod.ts';

function write(level: LogLevel): Method {
  return method({
    doc: `Writes to the log at level ${level}, if the run's level lets it through.`,
    params: { message: anyValue, fields: z.union([anyMap, anyValue]).optional() },
    result: z.void(),
    effect: 'external',
    examples: [{ lua: `Logger.${level}("Starting", {attempt = 1})`, javascript: `Logger.${level}("Starting", {attempt: 1})` }],
    handler: ({ message, fields }, { run }) => run.get(runLog).write(level, textOf(message), fieldsOf(fields)),
  });
}

/** The log of the host. */
export const loggerGlobal = builtinGlobal({
  name: 'Logger',
  doc: "The host's log; on the command line it goes to standard error. The level is `log.level` of the configuration, `warn` if not set.",
  methods: {
    ...(Object.fromEntries(LOG_LEVELS.map((level) => [level, write(level)])) as Record<LogLevel, Method>),
    set_level: method({
      doc: 'Sets the level of this run.',
      params: { level: z.enum([...LOG_LEVELS, 'silent']) },
      result: z.void(),
      effect: 'write',
      examples: [{ lua: `Logger.set_level("info")`, javascript: `Logger.set_level("info")` }],
      handler: ({ level }, { run }) => {
        run.get(runLog).level = level;
      },
    }),
  },
});

function textOf(value: Value): string {
  return typeof value === 'string' ? value : toJsonText(value, { describe: true });
}

function fieldsOf(value: Value | undefined): ValueMap {
  if (value === undefined || value === null) return {};
  return typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype ? (value as ValueMap) : { value };
}
