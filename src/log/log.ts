import { createRequire } from 'node:module';
import { hostService, runService } from '../call/context.ts';
import type { ValueMap } from '../call/value.ts';
import { LOG_LEVELS } from '../config/config.ts';
import { cutEntry } from './cut.ts';

export type LogLevel = (typeof LOG_LEVELS)[number];

export interface LogEntry {
  readonly level: LogLevel;
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
  readonly run_id: string;
  readonly tenant: string;
}

/** Where the host's log goes: one JSON object per line on standard error, unless somebody takes it over. */
export interface Log {
  write(entry: LogEntry): void;
  /** Takes the log over. */
  writeTo(sink: (entry: LogEntry) => void): void;
  /** Puts a change between every entry and where it goes. */
  change(change: (entry: LogEntry) => LogEntry): void;
}

/** The log of a runtime. */
export const log = hostService<Log>('log', () => {
  let sink: ((entry: LogEntry) => void) | undefined;
  let changed = (entry: LogEntry) => entry;
  return {
    write: (entry) => {
      sink ??= pinoSink();
      sink(changed(entry));
    },
    writeTo: (given) => {
      sink = given;
    },
    change: (given) => {
      changed = given;
    },
  };
});

function pinoSink(): (entry: LogEntry) => void {
  const { pino } = createRequire(import.meta.url)('pino') as typeof import('pino');
  const logger = pino({ level: 'trace' }, pino.destination({ fd: 2, sync: true }));
  return ({ level, message, fields, run_id, tenant }) => logger[level]({ ...fields, run_id, tenant }, message);
}

/** The log of one run, with its own level. */
export interface RunLog {
  write(level: LogLevel, message: string, fields?: ValueMap): void;
  level: LogLevel | 'silent';
}

export const runLog = runService<RunLog>('run log', (run) => {
  const { host } = run;
  const result: RunLog = {
    level: host.config.log.level,
    write(level, message, fields = {}) {
      if (result.level === 'silent' || LOG_LEVELS.indexOf(level) < LOG_LEVELS.indexOf(result.level)) return;
      host.get(log).write({ level, ...cutEntry(message, fields), run_id: run.id, tenant: run.tenant });
    },
  };
  return result;
});
