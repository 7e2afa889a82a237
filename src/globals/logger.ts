import type { Cpu } from '../call/cpu.ts';
import { builtinGlobal, type Method, method } from '../call/define.ts';
import { toJsonTextSoon } from '../call/json.ts';
import { anyMap, anyValue } from '../call/schema.ts';
import { type Soon, whenReady } from '../call/soon.ts';
import type { Value, ValueMap } from '../call/value.ts';
import { LOG_LEVELS } from '../config/config.ts';
import { type LogLevel, runLog } from '../log/log.ts';
import { z } from '../zod.ts';

function write(level: LogLevel): Method {
  return method({
    doc: `Writes to the log at level ${level}, if the run's level lets it through. Of a longer message 65,536 characters are logged, and so much of the fields.`,
    params: { message: anyValue, fields: z.union([anyMap, anyValue]).optional() },
    result: z.void(),
    effect: 'external',
    examples: [{ lua: `Logger.${level}("Starting", {attempt = 1})`, javascript: `Logger.${level}("Starting", {attempt: 1})` }],
    handler: ({ message, fields }, { run }) => whenReady(textOf(run.cpu, message), (text) => run.get(runLog).write(level, text, fieldsOf(fields))),
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

function textOf(cpu: Cpu, value: Value): Soon<string> {
  return typeof value === 'string' ? value : toJsonTextSoon(cpu, value, { describe: true });
}

function fieldsOf(value: Value | undefined): ValueMap {
  if (value === undefined || value === null) return {};
  return typeof value === 'object' && Object.getPrototypeOf(value) === Object.prototype ? (value as ValueMap) : { value };
}
