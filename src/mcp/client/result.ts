import type { Client } from '@modelcontextprotocol/client';
import { fromJsonText } from '../../call/json.ts';
import { sameValue } from '../../call/same.ts';
import type { Value, ValueMap } from '../../call/value.ts';
import { ScriptError } from '../../errors.ts';
import { oneLine } from './failure.ts';

type CallToolResult = Awaited<ReturnType<Client['callTool']>>;
type Content = CallToolResult['content'][number];

/** JSON Schema of what a tool of a server gives. */
export const RESULT_SCHEMA: ValueMap = {
  type: 'object',
  properties: {
    text: { type: 'string', description: 'what the tool says in words; empty where it only repeats `structured`' },
    structured: { description: 'the structured result, where the tool gives one' },
    parts: { type: 'array', description: 'images, sounds, resources and links, where there are some', items: { type: 'object' } },
  },
  required: ['text'],
};

/**
 * The result as scripts and models get it: `{text, structured?, parts?}`, where parts are `{type = "image"|"audio", media_type, data}`,
 * `{type = "resource", uri, media_type?, text? | data?}` and `{type = "link", uri, name, description?, media_type?}`. Throws TOOL_FAILED for one that is an error.
 */
export function readResult(tool: string, { content, structuredContent, isError }: CallToolResult): ValueMap {
  const texts = content.flatMap((part) => (part.type === 'text' ? [part.text] : []));
  const text = texts.join('\n');
  if (isError)
    throw new ScriptError('TOOL_FAILED', `${tool}: ${oneLine(text) || 'the tool reports an error without saying which'}`, {
      details: { outcome: 'failed', retryable: false, ...(structuredContent !== undefined && { structured: structuredContent }) },
    });
  const parts = content.filter((part) => part.type !== 'text').map(readPart);
  const structured = structuredContent as Value | undefined;
  return {
    text: structured !== undefined && repeats(text, structured) ? '' : text,
    ...(structured !== undefined && { structured }),
    ...(parts.length > 0 && { parts }),
  };
}

function readPart(part: Content): ValueMap {
  switch (part.type) {
    case 'text':
      return { type: 'text', text: part.text };
    case 'image':
    case 'audio':
      return { type: part.type, media_type: part.mimeType, data: bytesOf(part.data) };
    case 'resource': {
      const { resource } = part;
      const body: ValueMap = 'blob' in resource ? { data: bytesOf(resource.blob) } : { text: resource.text };
      return { type: 'resource', uri: resource.uri, ...(resource.mimeType !== undefined && { media_type: resource.mimeType }), ...body };
    }
    case 'resource_link':
      return {
        type: 'link',
        uri: part.uri,
        name: part.name,
        ...(part.description !== undefined && { description: part.description }),
        ...(part.mimeType !== undefined && { media_type: part.mimeType }),
      };
  }
}

function bytesOf(base64: string): Uint8Array {
  return new Uint8Array(Buffer.from(base64, 'base64'));
}

/** The protocol asks servers to write the structured result as text too, for clients that read only text. */
function repeats(text: string, structured: Value): boolean {
  try {
    return sameValue(fromJsonText(text), structured);
  } catch {
    return false;
  }
}
