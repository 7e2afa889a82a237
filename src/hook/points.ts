import { wildcards } from '../call/wildcards.ts';
import { ScriptError } from '../errors.ts';
import { splitPattern } from '../event/pattern.ts';
import { distance } from '../nearest.ts';

/** Every hook point that the runtime fires, with when; `<name>` is the name of the tool or what the script chooses. */
export const HOOK_POINTS = {
  'system:startup': 'the runtime has started; host hooks only',
  'system:shutdown': 'the runtime is about to stop; host hooks only',
  'agent:before_creation': 'an agent is about to be made; input is its configuration',
  'agent:after_creation': 'an agent was made',
  'agent:before_execution': 'an agent is about to answer; input is the request',
  'agent:after_execution': 'an agent has answered; output is its result',
  'agent:before_model_call': 'a model is about to be called; input is the request to it',
  'agent:after_model_call': 'a model has answered; output is its answer',
  'agent:error': 'an agent has failed',
  'tool:<name>:validation': 'the arguments of a tool are about to be checked; input is the arguments',
  'tool:<name>:before_execution': 'a tool is about to run; input is its arguments',
  'tool:<name>:after_execution': 'a tool has run; output is its result',
  'tool:<name>:error': 'a tool has failed',
  'workflow:before_start': 'a workflow is about to start; input is its input',
  'workflow:before_step': 'a step is about to run; input is what it gets, step its name',
  'workflow:after_step': 'a step has run; output is its output',
  'workflow:after_complete': 'a workflow has ended well; output is its result',
  'workflow:error': 'a workflow or one of its steps has failed; step names the step',
  'state:before_save': 'a value is about to be saved; input is {scope, key, value}',
  'state:after_save': 'a value was saved',
  'state:before_load': 'a value is about to be read; input is {scope, key}',
  'state:after_load': 'a value was read; output is the value',
  'state:before_delete': 'a value is about to be deleted; input is {scope, key}',
  'state:after_delete': 'a value was deleted',
  'state:before_migrate': 'a migration is about to run; input is its configuration',
  'state:after_migrate': 'a migration has run; output is its result',
  'session:start': 'a session is about to be made; input is {id, name, description, tags, metadata}; host hooks only',
  'session:end': 'a session is about to be completed, or deleted before it was completed; input is {id}',
  'session:save': 'a session is about to be saved; input is {id}',
  'session:restore': 'a session was loaded; output is the session',
  'event:before_emit': 'the script is about to emit an event; input is {event_type, payload, correlation_id}',
  'event:after_emit': 'the script has emitted an event; output is the event',
  'rag:before_ingest': 'documents are about to be ingested; input is {base, documents}',
  'rag:after_ingest': 'documents were ingested; output is what became of them',
  'rag:before_retrieve': 'a retrieval is about to run; input is the query with its options',
  'rag:after_retrieve': 'a retrieval has run; output is its chunks, {document_id, chunk_index, content, score} each',
  'rag:error': 'an ingest or a retrieval has failed',
  'security:violation': 'something was refused for want of a permission; input is {code, message, method}, and what a hook answers changes nothing',
  'limit:exceeded': 'a limit of the run was reached; input is {code, message, method}, and what a hook answers changes nothing',
  'custom:<name>': 'the script or host fires it by its own name',
} as const;

const KNOWN = Object.keys(HOOK_POINTS).map((point) => point.replace('<name>', '*').split(':'));
/** Kinds that may also be addressed by name, `agent:researcher:before_execution`. */
const NAMED_KINDS = new Set(['agent', 'tool', 'workflow']);

/** A longer pattern is compared with no point: that takes time by the product of their lengths. */
const LONGEST_MEANT = 128;

/** Points whose hooks are the host's alone; a script's hook that matches one is not called there. */
export function isHostOnly(point: string): boolean {
  return point.startsWith('system:') || point === 'session:start';
}

/** Hook points are separated by `:` only, since a tool's own name may hold a dot. */
export const POINT_SEPARATOR = /:/;

/** Throws BAD_ARGUMENT, which begins with `where`, unless the pattern can match a point that exists; names the nearest one. */
export function checkPoint(pattern: string, where = ''): void {
  const segments = splitPattern(pattern, POINT_SEPARATOR, `${where}pattern`);
  if (segments[0] === 'custom' && segments.length > 1) return;
  if (KNOWN.some((known) => overlap(segments, known))) return;
  if (segments.length === 2 && segments[0] === 'tool' && KNOWN.some((known) => overlap(['tool', '*', segments[1] ?? ''], known))) return;
  if (segments.length === 3 && NAMED_KINDS.has(segments[0] ?? '') && KNOWN.some((known) => overlap([segments[0] ?? '', segments[2] ?? ''], known))) return;
  const nearest = pattern.length > LONGEST_MEANT ? '' : `; the nearest is ${nearestTo(pattern, segments)}`;
  throw new ScriptError('BAD_ARGUMENT', `${where}no hook point matches "${pattern}"${nearest} (Hook.list_points() names all)`);
}

/** The point that a pattern is the beginning of; else the one that differs least. */
function nearestTo(pattern: string, segments: readonly string[]): string | undefined {
  const beginning = pattern.replace(/:\*+$/, '');
  let nearest: string | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const point of writings(segments)) {
    const found = point.startsWith(beginning) ? -1 : distance(pattern, point);
    if (found >= least) continue;
    nearest = point;
    least = found;
  }
  return nearest;
}

/** Every point as it could have been meant: with the name that was given or without one; all of a kind where a `*` was given, or nothing, in place of what happens. */
function writings([, ...given]: readonly string[]): string[] {
  const [name, ...rest] = given;
  const last = given.at(-1) ?? '*';
  const all = last === '*' || last === '**';
  return KNOWN.flatMap(([kind = '', ...moments]) => {
    const written = all ? [last] : [];
    if (!all || name === undefined) written.push(moments.at(-1) ?? '');
    return written.map((moment) => (rest.length > 0 && NAMED_KINDS.has(kind) ? `${kind}:${name}:${moment}` : `${kind}:${moment}`));
  });
}

/** True when there is a name that both patterns match. */
export function overlap(a: readonly string[], b: readonly string[]): boolean {
  // Many ways through `**` lead to the same rests, of which each is tried once.
  const tried = new Set<number>();
  const from = (i: number, j: number): boolean => {
    const [first, second] = [a[i], b[j]];
    const rests = i * (b.length + 1) + j;
    if (tried.has(rests)) return false;
    tried.add(rests);
    if (first === undefined && second === undefined) return true;
    if (first === '**') return from(i + 1, j) || (second !== undefined && from(i, j + 1));
    if (second === '**') return from(i, j + 1) || (first !== undefined && from(i + 1, j));
    if (first === undefined || second === undefined) return false;
    if (first === '*' && i === a.length - 1) return true;
    if (second === '*' && j === b.length - 1) return true;
    return segmentsOverlap(first, second) && from(i + 1, j + 1);
  };
  return from(0, 0);
}

function segmentsOverlap(a: string, b: string): boolean {
  if (a === b || a === '*' || b === '*') return true;
  if (a.includes('*') && b.includes('*')) return true;
  return a.includes('*') ? wildcards(a)(b) : wildcards(b)(a);
}
