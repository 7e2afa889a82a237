/** What is called, as the script names it, `Workflow.paralel`, and where in the text that name ends. */
export interface Called {
  readonly name: string;
  readonly end: number;
}

/** What is known of a name without its place: that it can be called, that it cannot, or nothing. */
export type Callable = (name: string) => boolean | undefined;

/** What is open: a bracket or template, of a call with the end of what is called. */
interface Open {
  readonly closes: string;
  readonly call?: Call | undefined;
  /** Whether it holds statements, whose calls are none of what stands around it. */
  readonly block?: boolean;
  /** Whether the body of an arrow function goes on in it. */
  arrow?: boolean;
}

/** A call by the end of the name before its bracket; -1 where something else than a name is called. */
type Call = number;

/** What stands before brackets that are no call's. */
const NO_CALLEE = /^(?:if|while|for|switch|catch|with|function|return|typeof|await|yield|void|in|of|delete|throw|case|instanceof|else|do|new)$/;
/** What stands before a value. */
const OPERATOR = /^(?:return|typeof|await|yield|void|in|of|delete|throw|case|instanceof|default)$/;
/** Characters up to the place, and behind it, that are looked through at most: all of it is done at once. */
const MOST_BEFORE = 256_000;
const MOST_BEHIND = 10_000;
/** Calls around a place that are considered. */
const MOST_CALLS = 8;
const WORD = /[\w$\u0080-\uffff]+/y;
const CLOSING: Readonly<Record<string, string>> = { '(': ')', '[': ']', '{': '}' };

/**
 * Which call it is that failed for want of a function, where the engine tells the place `at`: that of the last name that it met on the way to
 * the call, be it what is called or in an argument. Undefined where more than one call may be meant.
 */
export function calledAt(text: string, at: number, callable: Callable = () => undefined): Called | undefined {
  const calls = callsAt(text, at)?.map((end) => nameTo(text, end)) ?? [];
  const kinds = calls.map((call) => call && callable(call.name));
  const not = kinds.indexOf(false);
  if (not >= 0) return calls[not];
  const [first, second] = calls.filter((_, i) => kinds[i] !== true).map((call) => ({ call }));
  return second ? undefined : first?.call;
}

/** The calls that may have failed, innermost first. */
function callsAt(text: string, at: number): readonly Call[] | undefined {
  if (at > MOST_BEFORE) return undefined;
  const open: Open[] = [];
  /** The last token, and where the last word ended. */
  let last = '';
  let wordEnd = -1;
  /** From the place on: the calls around it, the end of its word, and how many brackets are open around the expression. */
  let found: { calls: Call[]; end: number; floor: number } | undefined;

  const isValue = () => (/[\w$\u0080-\uffff]$/.test(last) ? !OPERATOR.test(last) : /^[)\]}"`]$/.test(last));
  const callee = (): Call | undefined => {
    if (last === '?.' || WORD_END.test(last)) return NO_CALLEE.test(last) ? undefined : wordEnd;
    return /^[)\]}`]$/.test(last) ? -1 : undefined;
  };

  for (let i = 0; i < text.length && i < at + MOST_BEHIND; ) {
    const char = text[i] as string;
    if (/\s/.test(char)) {
      i++;
      continue;
    }
    if (char === '/' && (text[i + 1] === '/' || text[i + 1] === '*')) {
      const end = text[i + 1] === '/' ? text.indexOf('\n', i) : text.indexOf('*/', i + 2) + 2;
      if (end < i + 2) break;
      i = end;
      continue;
    }
    let token = char;
    let end = i + 1;
    const word = match(WORD, text, i);
    if (word !== undefined) {
      token = word;
      end = i + word.length;
    } else if (char === '"' || char === "'") {
      end = endOfString(text, i);
      token = '"';
    } else if (char === '/' && !isValue()) {
      end = endOfRegExp(text, i);
      if (end < 0) return undefined;
      token = '"';
    } else if (char === '?' && text[i + 1] === '.') end = i + (token = '?.').length;
    else if (char === '=' && text[i + 1] === '>') end = i + (token = '=>').length;
    if (!found && at < end) {
      if (at !== i) return undefined;
      const floor = open.findLastIndex(({ block, arrow }) => block || arrow) + 1;
      const calls = open.slice(floor).flatMap(({ call }) => (call === undefined ? [] : [call]));
      if (calls.length > MOST_CALLS) return undefined;
      found = { calls: calls.reverse(), end, floor };
    }

    // The expression around the place is over.
    if (found && i > at && open.length <= found.floor && !/^(?:[([)\]`]|\?\.)$/.test(token)) break;
    const top = open.at(-1);
    const closing = CLOSING[char];
    if (token === '=>' && top) top.arrow = true;
    else if (/^[,;:]$/.test(token) && top) top.arrow = false;
    else if (closing !== undefined || char === '`') {
      const call = char === '(' || (char === '`' && isValue()) ? callee() : undefined;
      if (found && call === -1) return undefined;
      if (found && call !== undefined && (call === found.end || i === at)) found.calls.unshift(call);
      const block = char === '{' && (/^(?:|\)|=>|[;{}])$/.test(last) || (WORD_END.test(last) && !OPERATOR.test(last)));
      open.push({ closes: closing ?? '`', call, block });
    } else if (top && char === top.closes[0]) {
      open.pop();
      if (found && open.length < found.floor) break;
    }
    // The text of a template, from its beginning or behind a value in it.
    if (char === '`' || (char === '}' && top?.closes === '}`')) {
      end = endOfTemplateText(text, end);
      if (text[end - 1] === '{') open.push({ closes: '}`' });
      else open.pop();
      token = text[end - 1] === '{' ? '${' : '`';
    }
    if (word !== undefined) wordEnd = end;
    [last, i] = [token, end];
  }
  return found?.calls;
}

const WORD_END = /[\w$\u0080-\uffff]$/;

/** The name that ends here with what it is a part of; undefined where that is more than names, or is constructed. */
function nameTo(text: string, end: number): Called | undefined {
  // Backwards from the end, once.
  const name = end < 0 ? undefined : match(/(?<=((?:[\w$]+\s*\??\.\s*)*[\w$]+))/y, text, end);
  if (name === undefined || match(/(?<=(?<!\.\.)(\.|\bnew|\bfunction|#|[\u0080-\uffff])\s*)/y, text, end - name.length) !== undefined) return undefined;
  return { name: name.replaceAll(/\s/g, ''), end };
}

/** What a sticky pattern finds at a place: its group, else all of it. */
function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  const found = pattern.exec(text);
  return found ? (found[1] ?? found[0]) : undefined;
}

function endOfString(text: string, start: number): number {
  let i = start + 1;
  while (i < text.length && text[i] !== text[start] && text[i] !== '\n') i += text[i] === '\\' ? 2 : 1;
  return i + 1;
}

/** Behind a regular expression's last slash; -1 where there is none in its line. */
function endOfRegExp(text: string, start: number): number {
  let inClass = false;
  for (let i = start + 1; i < text.length && text[i] !== '\n'; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '[') inClass = true;
    else if (text[i] === ']') inClass = false;
    else if (text[i] === '/' && !inClass) return i + 1;
  }
  return -1;
}

/** Behind the template's end, or behind what begins a value in it. */
function endOfTemplateText(text: string, start: number): number {
  let i = start;
  while (i < text.length && text[i] !== '`' && !(text[i] === '$' && text[i + 1] === '{')) i += text[i] === '\\' ? 2 : 1;
  return text[i] === '$' ? i + 2 : i + 1;
}
