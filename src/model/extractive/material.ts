import { type Message, messageText } from '../model.ts';
import { takeJson } from './json.ts';
import { plainText, sentencesOf } from './sentences.ts';

/** A stretch of text from one source, under one heading. */
export interface Block {
  readonly source: string | undefined;
  readonly heading: string | undefined;
  readonly text: string;
}

/** A conversation as the extractive model sees it: what is asked, and the text that may be quoted. */
export interface Material {
  readonly question: string;
  /** True when nothing reads like a question: `Summarize: …`. */
  readonly isInstruction: boolean;
  readonly blocks: readonly Block[];
}

const EARLIER = 'earlier in this conversation';
const QUESTION_LINE = /^\s*(?:question|query|task|q)\s*:\s*(.*)$/i;
const MATERIAL_LINE = /^\s*(?:context|input|text|documents?|sources|passages|material|notes)\s*:\s*$/i;
const SOURCE_LINE = /^\s*(?:source|file|document|from|url)\s*:\s*(\S.{0,199})$/i;
const BRACKET_LINE = /^\s*\[(?![ x]\])([^\]\n]{1,120})\](?![(:[])\s*(.*)$/i;
/** The marks before the name are taken as a whole: all ways to divide a line of dashes would be as many as their square. */
const FILE_LINE =
  /^\s*(?:(?=(?<marks>[#=*-]{2,}))\k<marks>\s*)?(?<name>[\w./-]*[\w-]\.(?:md|txt|html?|pdf|docx|csv|json|lua|js|ts|py|rst))\s*(?:(?:[=*-]{2,}|:)\s*)?$/i;

/** Reads the last user message as the question, and its context, tools' answers and earlier messages as material. */
export function readMaterial(messages: readonly Message[]): Material {
  const last = messages.findLastIndex(({ role }) => role === 'user');
  const message = messages[last];
  const context = message?.role === 'user' && message.context !== undefined ? split(message.context, true).blocks : [];
  const tools = messages.slice(last + 1).flatMap((item) => (item.role === 'tool' && !item.is_error ? named(split(item.content, true).blocks, item.name) : []));
  const asked = split(message?.content ?? '', false);
  const given = [...context, ...asked.blocks, ...tools];
  const own = readOwn(asked, given.length > 0);
  const earlier = messages.slice(0, Math.max(last, 0)).flatMap((item) => {
    if (item.role === 'tool' && !item.is_error) return named(split(item.content, true).blocks, item.name);
    if (item.role !== 'user') return [];
    const said = split(messageText(item), false);
    return [
      ...named(said.blocks, EARLIER),
      {
        source: EARLIER,
        heading: undefined,
        text: sentencesOf(said.own)
          .filter((sentence) => !sentence.endsWith('?'))
          .join('\n\n'),
      },
    ];
  });
  return { question: own.question, isInstruction: own.isInstruction, blocks: [...given, ...own.blocks, ...earlier].filter(({ text }) => text.trim() !== '') };
}

function named(blocks: readonly Block[], source: string): Block[] {
  return blocks.map((block) => ({ ...block, source: block.source ?? source }));
}

interface Split {
  /** Text under no source mark. */
  readonly own: string;
  /** Text after `Question:`; empty where there is none. */
  readonly question: string;
  readonly blocks: readonly Block[];
}

/** Divides a text at its source marks (`[1] name`, `[name]`, `source: name`, a line that is a file name) and headings. */
function split(text: string, isMaterial: boolean): Split {
  const { rest, blocks: found } = takeJson(text);
  const blocks = [...found];
  let own = '';
  const questions: string[] = [];
  let source: string | undefined;
  let heading: string | undefined;
  let lines: string[] = [];
  let inMaterial = isMaterial;
  let inCode = false;
  const close = () => {
    if (inMaterial && lines.length > 0) blocks.push({ source, heading, text: lines.join('\n') });
    else own += `${lines.join('\n')}\n`;
    lines = [];
  };
  for (const line of rest.split('\n')) {
    if (/^\s*(?:```|~~~)/.test(line)) inCode = !inCode;
    const asks = inCode ? null : QUESTION_LINE.exec(line);
    const mark = inCode || asks ? undefined : markOf(line);
    if (asks) {
      close();
      inMaterial = isMaterial;
      source = heading = undefined;
      questions.push((asks[1] as string).trim());
    } else if (mark) {
      close();
      inMaterial = true;
      source = mark.source ?? source;
      heading = undefined;
      if (mark.rest !== '') lines.push(mark.rest);
    } else if (!inCode && inMaterial && /^\s*#{1,6}\s+\S/.test(line)) {
      close();
      heading = plainText(line.replace(/^\s*#+\s*/, ''));
    } else lines.push(line);
  }
  close();
  return { own: own.trim(), question: questions.filter((one) => one !== '').join(' '), blocks };
}

function markOf(line: string): { source: string | undefined; rest: string } | undefined {
  if (MATERIAL_LINE.test(line)) return { source: undefined, rest: '' };
  const name = SOURCE_LINE.exec(line)?.[1] ?? FILE_LINE.exec(line)?.groups?.name;
  if (name !== undefined) return { source: name.trim(), rest: '' };
  const [, inside, after = ''] = BRACKET_LINE.exec(line) ?? [];
  if (inside === undefined) return undefined;
  if (!/^\d+$/.test(inside)) return { source: inside, rest: after };
  const [, first, text = ''] = /^(\S{1,120}?)(?::\s+(.*))?$/.exec(after) ?? [];
  if (first !== undefined) return { source: first, rest: text };
  return after.length <= 80 && after !== '' && !/[.!?]$/.test(after) ? { source: after, rest: '' } : { source: `[${inside}]`, rest: after };
}

/** Finds the question in what the prompt says outside of marked sources; without any other material its statements are the material. */
function readOwn({ own, question }: Split, hasMaterial: boolean): Material {
  const block = (text: string): Block[] => (hasMaterial ? [] : [{ source: undefined, heading: undefined, text }]);
  if (question !== '') return { question, isInstruction: false, blocks: block(own) };
  const sentences = sentencesOf(own);
  const questions = sentences.filter((sentence) => sentence.endsWith('?'));
  if (questions.length > 0)
    return { question: questions.join(' '), isInstruction: false, blocks: block(own.split('?').length > 8 ? own : withoutQuestions(sentences)) };
  const lead = /^[^\n:]{3,120}:\s*(?=\S)/.exec(own)?.[0];
  if (!hasMaterial && lead !== undefined) return { question: lead.trim(), isInstruction: true, blocks: block(own.slice(lead.length)) };
  if (!hasMaterial && sentences.length > 2) return { question: sentences[0] ?? '', isInstruction: true, blocks: block(sentences.slice(1).join('\n\n')) };
  return { question: own, isInstruction: true, blocks: [] };
}

function withoutQuestions(sentences: readonly string[]): string {
  return sentences.filter((sentence) => !sentence.endsWith('?')).join('\n\n');
}
