import type { z } from 'zod';
import { CAPABILITIES, type Capability } from '../call/capability.ts';
import type { Example, GlobalDefinition, Method } from '../call/define.ts';
import { ERROR_CODES } from '../errors.ts';
import { type Field, fieldOf, shapeOf, type TypeShape } from './type.ts';
import { typeText } from './typescript.ts';

/** A tool as the reference shows it. */
export interface DescribedTool {
  readonly name: string;
  readonly description: string;
  readonly category: string;
  readonly tags: readonly string[];
  readonly needs: Capability | undefined;
  readonly input?: z.ZodType;
  readonly output?: z.ZodType;
  readonly examples: readonly Example[];
}

/** The reference's pages by file name: one for each global, and one for all tools. */
export function referencePages(globals: readonly GlobalDefinition[], tools: readonly DescribedTool[]): Readonly<Record<string, string>> {
  const pages = Object.fromEntries(globals.map((global) => [`${global.name.toLowerCase()}.md`, page(global)]));
  return { ...pages, 'tools.md': toolsPage(tools), 'errors.md': errorsPage(), 'README.md': indexPage(globals) };
}

function indexPage(globals: readonly GlobalDefinition[]): string {
  const rows = globals.map(({ name, doc }) => `| [\`${name}\`](${name.toLowerCase()}.md) | ${firstSentence(doc)} |`);
  return `# Reference\n\nGenerated from the definitions that the runtime itself checks every call against. Names are the same in Lua and JavaScript.\n\n| global | what it is |\n| --- | --- |\n${rows.join('\n')}\n\n[Built-in tools](tools.md), [error codes](errors.md). Beside these: \`ARGS\`, \`INPUT\`, \`print\`, and \`require\` (Lua) or \`import\` (JavaScript).\n`;
}

function errorsPage(): string {
  const rows = Object.entries(ERROR_CODES).map(([code, text]) => `| \`${code}\` | ${text} |`);
  return `# Error codes\n\nEvery error of the runtime has \`code\`, \`message\`, \`method\`, and where there is more to say \`details\` and \`cause\`: a table in Lua, an \`Error\` in JavaScript.\n\n| code | means |\n| --- | --- |\n${rows.join('\n')}\n`;
}

function page({ name, doc, only, callable, methods, handles = [] }: GlobalDefinition): string {
  const parts = [`# ${name}\n\n${doc}\n`];
  if (only === 'lua') parts.push('Only in Lua.\n');
  if (callable) parts.push(section(name, name, callable));
  for (const [method, definition] of Object.entries(methods)) parts.push(section(`${name}.${method}`, `${name}.${method}`, definition));
  for (const handle of handles) {
    parts.push(`## ${handle.type.name} handles\n\n${handle.doc}\n`);
    const variable = handle.type.name.charAt(0).toLowerCase() + handle.type.name.slice(1);
    for (const [method, definition] of Object.entries(handle.methods)) parts.push(section(`${variable}:${method}`, `${variable}.${method}`, definition));
  }
  return `${parts.join('\n')}`;
}

function toolsPage(tools: readonly DescribedTool[]): string {
  return `# Built-in tools\n\nWhat \`Tool.execute(NAME, parameters)\` takes and gives, and agents with \`tools = {NAME}\` may call. \`llmspell tools NAME\` shows the JSON Schema.\n\n${tools.map(toolSection).join('\n')}`;
}

function toolSection({ name, description, category, tags, needs, input, output, examples }: DescribedTool): string {
  const fields = input ? fieldsOf(shapeOf(input)) : [];
  const sorted = [category, ...tags].map((word) => `\`${word}\``).join(', ');
  return `## ${name}\n\n${description}. Found under ${sorted}.\n${tableOf(fields)}${output ? givesOf(shapeOf(output)) : ''}${grantOf(needs)}${shown(examples)}`;
}

/** The fields of an object; of several kinds of objects, those of each. */
function fieldsOf(shape: TypeShape): readonly Field[] {
  if (shape.kind === 'object') return shape.fields;
  return shape.kind === 'union' ? shape.options.flatMap(fieldsOf) : [];
}

function section(lua: string, javascript: string, { doc, params, result, needs, examples = [] }: Method): string {
  const fields = Object.entries(params).map(([name, schema]) => fieldOf(name, schema));
  const list = fields.map(({ name, optional }) => `${name}${optional ? '?' : ''}`).join(', ');
  const calls = lua === javascript ? `\`${lua}(${list})\`` : `\`${lua}(${list})\` in Lua, \`${javascript}(${list})\` in JavaScript`;
  return `### ${lua}\n\n${calls}\n\n${doc}\n${tableOf(fields)}${givesOf(shapeOf(result))}${grantOf(needs)}${shown(examples)}`;
}

function tableOf(fields: readonly Field[]): string {
  const rows = fields.flatMap((field) => rowsOf(field, field.name));
  return rows.length === 0 ? '' : `\n| parameter | type | |\n| --- | --- | --- |\n${rows.join('\n')}\n`;
}

function givesOf(shape: TypeShape): string {
  return shape.kind === 'nothing' ? '' : `\nGives ${describe(shape)}.\n`;
}

function grantOf(needs: Capability | undefined): string {
  return needs === undefined ? '' : `\nNeeds the grant \`${needs}\` (to ${CAPABILITIES[needs]}).\n`;
}

function shown(examples: readonly Example[]): string {
  return examples.map(({ lua, javascript }) => `\n\`\`\`lua\n${lua}\n\`\`\`\n\n\`\`\`js\n${javascript}\n\`\`\`\n`).join('');
}

function rowsOf({ name: _, type, optional, doc, fallback }: Field, path: string): string[] {
  const inner = type.kind === 'object' ? type.fields : type.kind === 'list' && type.item.kind === 'object' ? type.item.fields : [];
  const simple = fallback !== undefined && typeof fallback !== 'object' && !doc.includes('if not given') ? `\`${JSON.stringify(fallback)}\` if not given` : '';
  const notes = [optional ? 'optional' : '', doc, simple].filter((part) => part !== '').join('; ');
  const row = `| \`${path}\` | ${describe(type)} | ${notes.replaceAll('|', '\\|')} |`;
  const prefix = type.kind === 'list' ? `${path}[]` : path;
  return [row, ...inner.flatMap((field) => rowsOf(field, `${prefix}.${field.name}`))];
}

function describe(shape: TypeShape): string {
  if (shape.kind === 'object') return `\`{${shape.fields.map(({ name, optional }) => `${name}${optional ? '?' : ''}`).join(', ')}}\``;
  if (shape.kind === 'list') return shape.item.kind === 'object' ? `a list of ${describe(shape.item)}` : `\`${typeText(shape)}\``;
  if (shape.kind === 'union') return shape.options.map(describe).join(' or ').replaceAll('`null`', 'nil');
  return `\`${typeText(shape).replaceAll('|', '\\|')}\``;
}

function firstSentence(text: string): string {
  return /^.*?[.:](?=\s|$)/.exec(text)?.[0].replace(/:$/, '.') ?? text;
}
