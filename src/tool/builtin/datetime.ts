import { ScriptError } from '../../errors.ts';
import { z } from '../../zod.ts';
import { needed } from '../needed.ts';
import { defineTool } from '../tool.ts';

const UNITS = { ms: 1, second: 1_000, minute: 60_000, hour: 3_600_000, day: 86_400_000, week: 604_800_000 } as const;
const unit = z.enum(['ms', 'second', 'minute', 'hour', 'day', 'week', 'month', 'year']);
const time = z.union([z.string().max(100), z.number()]);

/** Dates and times by the run's clock; UTC unless a time zone is named. */
export const datetime = defineTool(
  {
    name: 'datetime',
    description: 'Tells, parses, formats, shifts and compares dates and times',
    category: 'time',
    tags: ['date', 'calendar'],
    input: z.strictObject({
      operation: z.enum(['now', 'parse', 'format', 'add', 'difference']).default('now'),
      time: time.optional().describe('ISO 8601 text or ms since 1970; now if not given, but parse needs it'),
      other: time.optional().describe('difference: the later time'),
      amount: z.number().optional().describe('add: how many units, also negative'),
      unit: unit.default('day'),
      timezone: z.string().max(100).default('UTC').describe('IANA name such as Europe/Berlin'),
      format: z.enum(['iso', 'date', 'time', 'full', 'rfc2822']).default('iso'),
    }),
    output: z.object({ iso: z.string(), timestamp: z.number(), text: z.string(), weekday: z.string(), difference: z.number().optional() }),
    examples: [
      {
        lua: `print(Tool.execute("datetime", {operation = "add", time = "2026-01-31T00:00:00Z", amount = 1, unit = "month"}).iso)`,
        javascript: `print(Tool.execute("datetime", {operation: "add", time: "2026-01-31T00:00:00Z", amount: 1, unit: "month"}).iso)`,
      },
    ],
    execute(input, { run }) {
      const { operation } = input;
      const given = operation === 'parse' ? needed(input.time, 'datetime', 'time', operation) : (input.time ?? run.now());
      const start = read(given, 'time');
      const at = operation === 'add' ? shift(start, needed(input.amount, 'datetime', 'amount', operation), input.unit) : start;
      const text = describe(at, input.format, input.timezone);
      const weekday = new Intl.DateTimeFormat('en', { weekday: 'long', timeZone: input.timezone }).format(at);
      const result = { iso: at.toISOString(), timestamp: at.getTime(), text, weekday };
      if (operation !== 'difference') return result;
      const other = read(needed(input.other, 'datetime', 'other', operation), 'other');
      return { ...result, difference: between(at, other, input.unit) };
    },
  },
  'builtin',
);

function read(value: string | number, parameter: string): Date {
  const date = new Date(typeof value === 'string' && /^\d{4}-\d{2}-\d{2}T[\d:.]+$/.test(value) ? `${value}Z` : value);
  if (Number.isNaN(date.getTime()) || (typeof value === 'string' && !isDay(value)))
    throw new ScriptError('BAD_ARGUMENT', `datetime: ${parameter}: expected ISO 8601 text or ms since 1970, got ${JSON.stringify(value)}`);
  return date;
}

/** False for a text that begins with a day that its month does not have, which a Date takes for one of the next month. */
function isDay(text: string): boolean {
  const [, year, month, day] = /^(\d{4})-(\d{2})-(\d{2})/.exec(text) ?? [];
  return day === undefined || Number(day) <= new Date(Date.UTC(Number(year), Number(month), 0)).getUTCDate();
}

/** Months and years keep the day where the month has it, else its last day. */
function shift(date: Date, amount: number, by: z.output<typeof unit>): Date {
  if (by !== 'month' && by !== 'year') return valid(new Date(date.getTime() + amount * UNITS[by]));
  const months = Math.trunc(by === 'year' ? amount * 12 : amount);
  const first = new Date(Date.UTC(date.getUTCFullYear(), date.getUTCMonth() + months, 1));
  const last = new Date(Date.UTC(first.getUTCFullYear(), first.getUTCMonth() + 1, 0)).getUTCDate();
  const moved = new Date(date);
  moved.setUTCFullYear(first.getUTCFullYear(), first.getUTCMonth(), Math.min(date.getUTCDate(), last));
  return valid(moved);
}

function valid(date: Date): Date {
  if (Number.isNaN(date.getTime())) throw new ScriptError('BAD_ARGUMENT', 'datetime: amount: the result is outside the years that can be told');
  return date;
}

function between(from: Date, to: Date, by: z.output<typeof unit>): number {
  if (by === 'month' || by === 'year') {
    const months = (to.getUTCFullYear() - from.getUTCFullYear()) * 12 + to.getUTCMonth() - from.getUTCMonth() - (to.getUTCDate() < from.getUTCDate() ? 1 : 0);
    return by === 'year' ? Math.trunc(months / 12) : months;
  }
  return (to.getTime() - from.getTime()) / UNITS[by];
}

function describe(date: Date, format: string, timeZone: string): string {
  try {
    if (format === 'rfc2822') return date.toUTCString().replace('GMT', '+0000');
    const parts = new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' }).format(date);
    if (format === 'date') return parts.slice(0, 10);
    if (format === 'time') return parts.slice(11);
    if (format === 'full') return new Intl.DateTimeFormat('en', { timeZone, dateStyle: 'full', timeStyle: 'long' }).format(date);
    return timeZone === 'UTC' ? date.toISOString() : parts.replace(' ', 'T');
  } catch {
    throw new ScriptError('BAD_ARGUMENT', `datetime: timezone: unknown time zone ${JSON.stringify(timeZone)}`);
  }
}
