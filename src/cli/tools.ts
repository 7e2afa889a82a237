import { HostContainer } from '../call/run.ts';
import { parseConfig } from '../config/config.ts';
import { ScriptError } from '../errors.ts';
import { nearest } from '../nearest.ts';
import { hostTools } from '../tool/registry.ts';
import { toolName } from '../tool/tool.ts';

/** Prints all tools, or one with its schema and example. Throws NOT_FOUND when there is none of this name. */
export async function showTools(name: string | undefined, json: boolean): Promise<void> {
  const registry = new HostContainer(parseConfig(), '').get(hostTools);
  const print = (text: string) => void process.stdout.write(`${text}\n`);
  if (name === undefined) {
    const infos = registry.infos();
    if (json) return print(JSON.stringify(infos));
    const width = Math.max(...infos.map((info) => info.name.length));
    for (const info of infos) print(`${info.name.padEnd(width)}  ${info.description} (${info.category})`);
    return;
  }
  const tool = await registry.find(toolName(name));
  if (!tool) {
    const near = nearest(
      toolName(name),
      registry.infos().map((info) => info.name),
    );
    throw new ScriptError('NOT_FOUND', `there is no tool "${name}"${near ? `; the nearest is ${near}` : ''}; \`llmspell tools\` lists them all`);
  }
  const { description, category, version, schema, resultSchema, examples } = tool;
  if (json) return print(JSON.stringify({ name: tool.name, description, category, version, schema, result: resultSchema }));
  print(`${tool.name} — ${description} (${category})\n\nparameters\n${JSON.stringify(schema, null, 2)}\n\nresult\n${JSON.stringify(resultSchema, null, 2)}`);
  for (const example of examples) print(`\nLua\n${example.lua}\n\nJavaScript\n${example.javascript}`);
}
