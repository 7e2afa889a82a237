import { regexes } from 'zod';
import { spend, spendReading } from '../check/effort.ts';

interface Format {
  readonly wanted: string;
  readonly fits: (text: string) => boolean;
}

/** Texts of formats are no longer, characters: an expression that is quick with them need not be with millions. */
const MOST = 2_048;
/** A look at one costs so many steps, beside the reading. */
const LOOK = 8;

const ATOM = "[\\w!#$%&'*+/=?^`{|}~-]+";
const LABEL = '[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?';
/** RFC 5321, of which 64 and 255 characters are the parts. */
const EMAIL = new RegExp(`^(?=.{1,64}@)(?:${ATOM}(?:\\.${ATOM})*|"(?:[^"\\\\\\r\\n]|\\\\.)*")@(?=.{1,255}$)(?:${LABEL}(?:\\.${LABEL})*|\\[[A-Za-z0-9:.]+\\])$`);
/** RFC 3986: a scheme, and characters that need no escape, or are escaped. */
const URI = /^[A-Za-z][A-Za-z0-9+.-]*:(?:[\w.~:/?#[\]@!$&'()*+,;=-]|%[\dA-Fa-f]{2})*$/;
const DATE_TIME = /^(\d{4}-\d\d-\d\d)T(\d\d):(\d\d):(\d\d)(?:\.\d+)?(?:Z|([+-])(\d\d):(\d\d))$/i;

/** Formats that are checked. */
export const FORMATS: Readonly<Record<string, Format>> = {
  date: by('a date (YYYY-MM-DD)', regexes.date),
  'date-time': format('a date and time (RFC 3339)', isDateTime),
  duration: by('a duration (ISO 8601)', regexes.duration),
  email: by('an e-mail address', EMAIL),
  ipv4: by('an IPv4 address', regexes.ipv4),
  ipv6: by('an IPv6 address', regexes.ipv6),
  uri: by('a URI', URI),
  uuid: by('a UUID', regexes.guid),
};

function by(wanted: string, expression: RegExp): Format {
  return format(wanted, (text) => expression.test(text));
}

function format(wanted: string, fits: (text: string) => boolean): Format {
  return {
    wanted,
    fits(text) {
      if (text.length > MOST) return false;
      spend(LOOK);
      spendReading(text);
      return fits(text);
    },
  };
}

/** As RFC 3339 has it: a leap second is one at the end of a day of UTC. */
function isDateTime(text: string): boolean {
  const found = DATE_TIME.exec(text);
  if (!found || !regexes.date.test(found[1] as string)) return false;
  const [hour, minute, second, offsetHour, offsetMinute] = [2, 3, 4, 6, 7].map((at) => Number(found[at] ?? 0)) as [number, number, number, number, number];
  if (hour > 23 || minute > 59 || second > 60 || offsetHour > 23 || offsetMinute > 59) return false;
  const offset = (offsetHour * 60 + offsetMinute) * (found[5] === '-' ? -1 : 1);
  const minuteOfDay = hour * 60 + minute - offset;
  return second < 60 || ((minuteOfDay % 1_440) + 1_440) % 1_440 === 1_439;
}
