import type { Value, ValueMap } from '../../call/value.ts';
import { modelFailed } from '../failure.ts';
import { compose, type Findings } from './answer.ts';

const LISTS_SOURCES = /source|reference|citation|file|url/i;

/** JSON text for a schema of texts: the answer, lists of quotations and sources; throws MODEL_FAILED for a required field of another kind, which takes understanding. */
export function fillSchema(model: string, schema: ValueMap, findings: Findings): string {
  return JSON.stringify(
    fill(schema, '', findings, (what) =>
      modelFailed(model, `cannot fill ${what}: it quotes text and only fills texts and lists of texts`, { outcome: 'failed', retryable: false }),
    ),
  );
}

function fill(schema: ValueMap, path: string, findings: Findings, refuse: (what: string) => Error): Value {
  const { type, properties } = schema;
  if (Array.isArray(schema.enum)) return choose(schema.enum, path, findings, refuse);
  if (type === 'string') return textFor(path, findings);
  if (type === 'array') return listFor(schema.items, path, findings, refuse);
  if ((type === 'object' || type === undefined) && isMap(properties)) {
    const required = Array.isArray(schema.required) ? schema.required : [];
    const out: ValueMap = {};
    for (const [key, part] of Object.entries(properties)) {
      const place = path === '' ? key : `${path}.${key}`;
      if (!isMap(part)) continue;
      if (required.includes(key) || ['string', 'array', 'object'].includes(String(part.type))) out[key] = fill(part, place, findings, refuse);
    }
    return out;
  }
  throw refuse(`${path === '' ? 'the answer' : path} (${String(type ?? 'of any kind')})`);
}

function textFor(path: string, findings: Findings): string {
  const best = findings.quotes[0];
  if (/quote|quotation|evidence|excerpt|passage/i.test(path)) return best?.text ?? '';
  if (LISTS_SOURCES.test(path)) return best?.source ?? '';
  if (/question|query/i.test(path)) return findings.question;
  if (best && !/answer|summary|text|output|result/i.test(path)) return best.text;
  return best ? findings.quotes.map(({ text }) => text).join(' ') : compose(findings).join('');
}

function listFor(items: Value | undefined, path: string, findings: Findings, refuse: (what: string) => Error): Value {
  if (isMap(items) && isMap(items.properties)) return findings.quotes.map((quote) => fill(items, path, { ...findings, quotes: [quote] }, refuse));
  if (isMap(items) && items.type !== undefined && items.type !== 'string') throw refuse(`${path} (a list of ${String(items.type)})`);
  if (LISTS_SOURCES.test(path)) return [...new Set(findings.quotes.flatMap(({ source }) => source ?? []))];
  return findings.quotes.map(({ text }) => text);
}

/** The choice that the best passages name most often. */
function choose(choices: readonly Value[], path: string, { quotes, question }: Findings, refuse: (what: string) => Error): Value {
  const text = `${quotes.map((quote) => quote.text).join(' ')} ${question}`.toLowerCase();
  const counted = choices.map((choice) => ({ choice, count: typeof choice === 'string' ? text.split(choice.toLowerCase()).length - 1 : 0 }));
  const best = counted.reduce((a, b) => (b.count > a.count ? b : a), { choice: null as Value, count: 0 });
  if (best.count === 0) throw refuse(`${path} (none of its choices stands in the text)`);
  return best.choice;
}

function isMap(value: Value | undefined): value is ValueMap {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && Object.getPrototypeOf(value) !== Uint8Array.prototype;
}
