import * as z from 'zod';

interface Format {
  readonly wanted: string;
  readonly fits: (text: string) => boolean;
}

/** Texts of formats are no longer, characters: an expression that is quick with them need not be with millions. */
const MOST = 2_048;

const ATOM = "[\\w!#$%&'*+/=?^`{|}~-]+";
const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?';
/** RFC 5321, of which 64 and 255 characters are the parts. */
const EMAIL = new RegExp(`^(?=.{1,64}@)(?:${ATOM}(?:\\.${ATOM})*|"(?:[^"\\\\\\r\\n]|\\\\.)*")@(?=.{1,255}$)(?:${LABEL}(?:\\.${LABEL})*|\\[[A-Za-z0-9:.]+\\])$`);
/** RFC 3986: a scheme, and characters that need no escape, or are escaped. */
const URI = /^[A-Za-z][A-Za-z0-9+.-]*:(?:[\w.~:/?#[\]@!$&'()*+,;=-]|%[\dA-Fa-f]{2})*$/;
const DATE_TIME = /^(\d{4}-\d\d-\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:Z|([+-])(\d\d):(\d\d))$/i;

const isDate = by(() => z.iso.date());

/** Formats that are checked. */
export const FORMATS: Readonly<Record<string, Format>> = {
  date: format('a date (YYYY-MM-DD)', isDate),
  'date-time': format('a date and time (RFC 3339)', isDateTime),
  duration: format(
    'a duration (ISO 8601)',
    by(() => z.iso.duration()),
  ),
  email: format('an e-mail address', (text) => EMAIL.test(text)),
  ipv4: format(
    'an IPv4 address',
    by(() => z.ipv4()),
  ),
  ipv6: format(
    'an IPv6 address',
    by(() => z.ipv6()),
  ),
  uri: format('a URI', (text) => URI.test(text)),
  uuid: format(
    'a UUID',
    by(() => z.guid()),
  ),
};

function format(wanted: string, fits: (text: string) => boolean): Format {
  return { wanted, fits: (text) => text.length <= MOST && fits(text) };
}

/** A check of zod's, made when it is needed. */
function by(make: () => z.ZodType): (text: string) => boolean {
  let schema: z.ZodType | undefined;
  return (text) => {
    schema ??= make();
    return z.safeParse(schema, text).success;
  };
}

/** As RFC 3339 has it: a leap second is one at the end of a day of UTC. */
function isDateTime(text: string): boolean {
  const found = DATE_TIME.exec(text);
  if (!found || !isDate(found[1] as string)) return false;
  const [hour, minute, second, offsetHour, offsetMinute] = [2, 3, 4, 6, 7].map((at) => Number(found[at] ?? 0)) as [number, number, number, number, number];
  if (hour > 23 || minute > 59 || second > 60 || offsetHour > 23 || offsetMinute > 59) return false;
  const offset = (offsetHour * 60 + offsetMinute) * (found[5] === '-' ? -1 : 1);
  const minuteOfDay = hour * 60 + minute - offset;
  return second < 60 || ((minuteOfDay % 1_440) + 1_440) % 1_440 === 1_439;
}
