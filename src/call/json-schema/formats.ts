import * as z from 'zod';

interface Format {
  readonly wanted: string;
  readonly fits: (text: string) => boolean;
}

/** Formats that are checked. */
export const FORMATS: Readonly<Record<string, Format>> = {
  date: format('a date (YYYY-MM-DD)', () => z.iso.date()),
  'date-time': format('a date and time (ISO 8601)', () => z.iso.datetime({ offset: true })),
  duration: format('a duration (ISO 8601)', () => z.iso.duration()),
  email: format('an e-mail address', () => z.email()),
  ipv4: format('an IPv4 address', () => z.ipv4()),
  ipv6: format('an IPv6 address', () => z.ipv6()),
  uri: { wanted: 'a URL', fits: (text) => URL.canParse(text) },
  uuid: format('a UUID', () => z.guid()),
};

function format(wanted: string, make: () => z.ZodType): Format {
  let schema: z.ZodType | undefined;
  return {
    wanted,
    fits(text) {
      schema ??= make();
      return z.safeParse(schema, text).success;
    },
  };
}
