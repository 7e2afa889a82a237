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
      other: time.optional().describe('difference: the time to count to, in full months and years, in other units with fractions'),
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
      const clock = clockIn(at, input.timezone);
      const result = { iso: at.toISOString(), timestamp: at.getTime(), text: describe(at, clock, input.format, input.timezone), weekday: clock.weekday };
      if (operation !== 'difference') return result;
      const other = read(needed(input.other, 'datetime', 'other', operation), 'other');
      return { ...result, difference: between(at, other, input.unit) };
    },
  },
  'builtin',
);

/** A day with years of four digits or signed ones of six, also without its end; then a time, with a zone or in UTC. */
const ISO = /^([+-]\d{6}|\d{4})(?:-(\d\d)(?:-(\d\d)(?:[T ](\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?)(?:(Z)|([+-]\d\d)(?::?(\d\d))?)?)?)?)?$/i;

function read(value: string | number, parameter: string): Date {
  const date = new Date(typeof value === 'string' ? plainIso(value) : value);
  if (Number.isNaN(date.getTime()))
    throw new ScriptError('BAD_ARGUMENT', `datetime: ${parameter}: expected ISO 8601 text or ms since 1970, got ${JSON.stringify(value)}`);
  return date;
}

/** The text as a Date reads it, which takes others too, and days that their month does not have for ones of the next; an empty one is no time. */
function plainIso(text: string): string {
  const found = ISO.exec(text);
  if (!found) return '';
  const [, year = '', month = '01', day = '01', time = '00:00', , hours = '+00', minutes = '00'] = found;
  return Number(day) <= daysOf(Number(year), Number(month) - 1) ? `${year}-${month}-${day}T${time.replace(',', '.')}${hours}:${minutes}` : '';
}

/** Days of a month, which counts from 0; the calendar repeats itself after 400 years. */
function daysOf(year: number, month: number): number {
  return new Date(Date.UTC(2_000 + (year % 400), month + 1, 0)).getUTCDate();
}

/** Months and years keep the day where the month has it, else its last day. */
function shift(date: Date, amount: number, by: z.output<typeof unit>): Date {
  const moved = by === 'month' || by === 'year' ? shiftMonths(date, Math.trunc(by === 'year' ? amount * 12 : amount)) : date.getTime() + amount * UNITS[by];
  const result = new Date(moved);
  if (Number.isNaN(result.getTime())) throw new ScriptError('BAD_ARGUMENT', 'datetime: amount: the result is outside the years that can be told');
  return result;
}

function shiftMonths(date: Date, amount: number): number {
  const months = date.getUTCFullYear() * 12 + date.getUTCMonth() + amount;
  const year = Math.floor(months / 12);
  const month = months - year * 12;
  return new Date(date).setUTCFullYear(year, month, Math.min(date.getUTCDate(), daysOf(year, month)));
}

/** Full units from one time to the other, less than 0 where that is the earlier; of those shorter than a month fractions too. */
function between(from: Date, to: Date, by: z.output<typeof unit>): number {
  if (by !== 'month' && by !== 'year') return (to.getTime() - from.getTime()) / UNITS[by];
  const [first, last] = from <= to ? [from, to] : [to, from];
  const most = (last.getUTCFullYear() - first.getUTCFullYear()) * 12 + last.getUTCMonth() - first.getUTCMonth();
  const months = shiftMonths(first, most) > last.getTime() ? most - 1 : most;
  const full = by === 'year' ? Math.trunc(months / 12) : months;
  return from <= to ? full : 0 - full;
}

/** What the clocks and calendars of a zone show. */
interface Clock {
  readonly year: number;
  readonly date: string;
  readonly time: string;
  readonly weekday: string;
  /** What they are ahead of UTC, ms. */
  readonly ahead: number;
}

function clockIn(date: Date, timeZone: string): Clock {
  const parts = partsIn(date, timeZone);
  const part = (name: Intl.DateTimeFormatPartTypes) => parts.find(({ type }) => type === name)?.value ?? '';
  const year = part('era') === 'BC' ? 1 - Number(part('year')) : Number(part('year'));
  const time = `${part('hour')}:${part('minute')}:${part('second')}`;
  const shown = new Date(`${isoYear(year, 6)}-${part('month')}-${part('day')}T${time}Z`);
  // On the first and the last day there is, a zone may show one that no Date can be.
  const ahead = shown.getTime() - Math.floor(date.getTime() / 1_000) * 1_000 || 0;
  return { year, date: `${isoYear(year, 4)}-${part('month')}-${part('day')}`, time, weekday: part('weekday'), ahead };
}

/** Throws BAD_ARGUMENT for a zone that is none. */
function partsIn(date: Date, timeZone: string): Intl.DateTimeFormatPart[] {
  const two = '2-digit';
  try {
    const format = new Intl.DateTimeFormat('en', {
      timeZone,
      hourCycle: 'h23',
      era: 'short',
      year: 'numeric',
      month: two,
      day: two,
      weekday: 'long',
      hour: two,
      minute: two,
      second: two,
    });
    return format.formatToParts(date);
  } catch {
    throw new ScriptError('BAD_ARGUMENT', `datetime: timezone: unknown time zone ${JSON.stringify(timeZone)}`);
  }
}

/** Four digits where they do and may, else six behind a sign. */
function isoYear(year: number, digits: 4 | 6): string {
  if (digits === 4 && year >= 0 && year <= 9_999) return String(year).padStart(4, '0');
  return `${year < 0 ? '-' : '+'}${String(Math.abs(year)).padStart(6, '0')}`;
}

const FULL: Intl.DateTimeFormatOptions = { dateStyle: 'full', timeStyle: 'long' };
/** The same where it takes an era to tell the year. */
const FULL_BC: Intl.DateTimeFormatOptions = {
  weekday: 'long',
  era: 'short',
  year: 'numeric',
  month: 'long',
  day: 'numeric',
  hour: 'numeric',
  minute: '2-digit',
  second: '2-digit',
  timeZoneName: 'short',
};

function describe(date: Date, clock: Clock, format: string, timeZone: string): string {
  if (format === 'rfc2822') return rfc2822(date, clock.ahead);
  if (format === 'date') return clock.date;
  if (format === 'time') return clock.time;
  if (format === 'full') return new Intl.DateTimeFormat('en', { timeZone, ...(clock.year > 0 ? FULL : FULL_BC) }).format(date);
  return timeZone === 'UTC' ? date.toISOString() : `${clock.date}T${clock.time}`;
}

/** Zones have whole minutes there. */
function rfc2822(date: Date, ahead: number): string {
  const minutes = Math.trunc(ahead / 60_000);
  const zone = Math.floor(Math.abs(minutes) / 60) * 100 + (Math.abs(minutes) % 60);
  return new Date(date.getTime() + minutes * 60_000).toUTCString().replace('GMT', `${minutes < 0 ? '-' : '+'}${String(zone).padStart(4, '0')}`);
}
