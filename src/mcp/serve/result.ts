import type { CallToolResult } from '@modelcontextprotocol/server';
import { toJsonText } from '../../call/json.ts';
import { Float, type Value } from '../../call/value.ts';
import { placed, type ScriptError } from '../../errors.ts';

type Structured = Record<string, unknown>;

/** The first bytes of images that clients show. */
const IMAGES: readonly (readonly [type: string, signature: string])[] = [
  ['image/png', '89504e470d0a1a0a'],
  ['image/jpeg', 'ffd8ff'],
  ['image/gif', '47494638'],
  ['image/webp', '52494646'],
];

/** A run's value as a result: a text is text, a map is structured and text, any other value is `{result = value}` and text, bytes are an image or a resource. */
export function writeResult(tool: string, value: Value): CallToolResult {
  if (value === null) return { content: [] };
  if (typeof value === 'string') return { content: [{ type: 'text', text: value }] };
  if (value instanceof Uint8Array) return { content: [bytesPart(tool, value)] };
  const isMap = typeof value === 'object' && !Array.isArray(value) && !(value instanceof Float);
  const structured = (isMap ? toJson(value) : { result: toJson(value) }) as Structured;
  return { content: [{ type: 'text', text: toJsonText(value) }], structuredContent: structured };
}

/** An error as a result that tells the client's model what went wrong. */
export function writeError(error: ScriptError): CallToolResult {
  return { isError: true, content: [{ type: 'text', text: `${error.code}: ${placed(error)}` }] };
}

function bytesPart(tool: string, bytes: Uint8Array): CallToolResult['content'][number] {
  const buffer = Buffer.from(bytes);
  const start = buffer.subarray(0, 8).toString('hex');
  const image = IMAGES.find(([, signature]) => start.startsWith(signature));
  const data = buffer.toString('base64');
  if (image) return { type: 'image', mimeType: image[0], data };
  return { type: 'resource', resource: { uri: `llmspell:${tool}`, mimeType: 'application/octet-stream', blob: data } };
}

/** What JSON can carry: bytes as `{"$bytes": base64}`, integers beyond ±2^53 as texts of their digits. */
function toJson(value: Value): unknown {
  if (typeof value === 'bigint') return Number.isSafeInteger(Number(value)) ? Number(value) : value.toString();
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value !== 'object' || value === null) return typeof value === 'function' ? null : value;
  if (value instanceof Float) return toJson(value.value);
  if (value instanceof Uint8Array) return { $bytes: Buffer.from(value).toString('base64') };
  if (Array.isArray(value)) return value.map(toJson);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, toJson(item as Value)]));
}
