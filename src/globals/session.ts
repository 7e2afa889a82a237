import { builtinGlobal, method } from '../call/define.ts';
import { anyMap, anyValue } from '../call/schema.ts';
import { whenReady } from '../call/soon.ts';
import { ScriptError } from '../errors.ts';
import { currentId, loadSession, setCurrent } from '../session/current.ts';
import { exportSession } from '../session/export.ts';
import { createSession, deleteSession, forkSession, getSession, listSessions, moveSession, saveSession } from '../session/session.ts';
import { addTurns, getTurns, getValue, setValue, type Turn } from '../session/turns.ts';
import { SESSION_STATUSES } from '../store/sessions.ts';
import { z } from '../zod.ts';
import { artifactInfo } from './artifact.ts';

const id = z.string().describe('of a session: 1 to 128 of A-Za-z0-9_.-');
const tags = z.array(z.string().min(1).max(128)).max(64);
const status = z.enum(SESSION_STATUSES);

const info = z.object({
  id: z.string(),
  name: z.string().optional(),
  description: z.string().optional(),
  status,
  tags: z.array(z.string()),
  metadata: anyMap,
  turns: z.int().describe('how many there are'),
  created_at: z.number(),
  updated_at: z.number().describe('the last change of the session or of anything in it'),
  saved_at: z.number().optional(),
  expires_at: z.number().optional().describe('unless something changes before'),
  forked_from: z.string().optional(),
});

const call = z.strictObject({ id: z.string(), name: z.string(), input: z.string().describe('JSON') });
const turnFields = {
  role: z.enum(['system', 'user', 'assistant', 'tool']),
  content: anyValue.describe('text, or data'),
  name: z.string().optional().describe('who speaks, or the tool'),
  metadata: anyMap.optional(),
  context: z.string().optional().describe('material that stood before the question'),
  images: z.array(anyMap).optional(),
  tool_calls: z.array(call).optional().describe('what an assistant asked for'),
  tool_call_id: z.string().optional().describe('of the call that a tool answers'),
  is_error: z.boolean().optional(),
};
const turn = z.object({ number: z.int(), created_at: z.number(), ...turnFields });

const NEW = { lua: 'local id = Session.create({name = "support"})\n', javascript: 'const id = Session.create({name: "support"})\n' };
const example = (lua: string, javascript = lua) => [{ lua: NEW.lua + lua, javascript: NEW.javascript + javascript }];

/** Conversations and what belongs to them. */
export const sessionGlobal = builtinGlobal({
  name: 'Session',
  doc: "Conversations that outlive the run: their turns, values and artifacts, kept for the run's tenant. A session is active, suspended or completed, and only an active one takes anything in. Times are in milliseconds since 1970.",
  methods: {
    create: method({
      doc: 'Makes a session and gives its id. With `expires_in_ms` (else the setting sessions.expires_in_ms) it is gone, with everything in it, when nothing in it has changed for that time.',
      params: {
        spec: z
          .strictObject({
            name: z.string().max(255).optional(),
            description: z.string().max(10_000).optional(),
            tags: tags.optional(),
            metadata: anyMap.optional(),
            expires_in_ms: z.int().min(1).optional(),
          })
          .default({}),
      },
      result: z.string(),
      effect: 'write',
      examples: [
        {
          lua: `local id = Session.create({name = "support", tags = {"billing"}})\nprint(Session.get(id).status)`,
          javascript: `const id = Session.create({name: "support", tags: ["billing"]})\nprint(Session.get(id).status)`,
        },
      ],
      handler: ({ spec }, context) => whenReady(createSession(context, spec), (made) => made.id),
    }),
    current_id: method({
      doc: "The id of the run's own session: the one that the host or `--session` named, which is made if there is none of that id, or a new one. It is made when it is first asked for.",
      params: {},
      result: z.string(),
      effect: 'write',
      examples: [{ lua: `print(Session.current_id() == Session.current_id())`, javascript: `print(Session.current_id() === Session.current_id())` }],
      handler: (_, context) => currentId(context),
    }),
    set_current: method({
      doc: "Makes a session the run's own from here on. Raises NOT_FOUND when there is none of this id.",
      params: { id },
      result: z.void(),
      effect: 'write',
      examples: example(`Session.set_current(id)\nprint(Session.current_id() == id)`, `Session.set_current(id)\nprint(Session.current_id() === id)`),
      handler: ({ id }, context) => setCurrent(context, id),
    }),
    get: method({
      doc: 'A session, nil when there is none of this id.',
      params: { id },
      result: info.nullable(),
      effect: 'read',
      examples: example(`print(Session.get(id).name)`),
      handler: ({ id }, context) => whenReady(getSession(context, id), (found) => found ?? null),
    }),
    list: method({
      doc: 'The sessions of the tenant, newest first: with this status, with all of these tags, at most `limit` (100 if not given).',
      params: {
        filter: z.strictObject({ status: status.optional(), tags: tags.optional(), limit: z.int().min(1).max(10_000).optional() }).default({}),
      },
      result: z.array(info),
      effect: 'read',
      examples: example(`print(Session.list({status = "active", limit = 1})[1].name)`, `print(Session.list({status: "active", limit: 1})[0].name)`),
      handler: ({ filter }, context) => listSessions(context, filter),
    }),
    add_turn: method({
      doc: 'Adds a turn to an active session and gives its number, which counts from 1.',
      params: { id, turn: z.strictObject(turnFields) },
      result: z.int(),
      effect: 'write',
      examples: example(
        `print(Session.add_turn(id, {role = "user", content = "My invoice is wrong"}))`,
        `print(Session.add_turn(id, {role: "user", content: "My invoice is wrong"}))`,
      ),
      handler({ id, turn }, context) {
        if (turn.content === null && !turn.tool_calls)
          throw new ScriptError('BAD_ARGUMENT', 'Session.add_turn: turn.content: expected text or data, got nothing', { method: context.method });
        return addTurns(context, id, [turn as Turn]);
      },
    }),
    get_turns: method({
      doc: 'The turns of a session, oldest first: all, the `last` so many, or up to `limit` of those `after` a number.',
      params: {
        id,
        options: z.strictObject({ last: z.int().min(0).optional(), after: z.int().min(0).optional(), limit: z.int().min(1).optional() }).default({}),
      },
      result: z.array(turn),
      effect: 'read',
      examples: example(
        `Session.add_turn(id, {role = "user", content = "Hello"})\nprint(Session.get_turns(id, {last = 5})[1].content)`,
        `Session.add_turn(id, {role: "user", content: "Hello"})\nprint(Session.get_turns(id, {last: 5})[0].content)`,
      ),
      handler: ({ id, options }, context) => getTurns(context, id, options),
    }),
    set_value: method({
      doc: 'Keeps a value under a key of an active session; nil removes it.',
      params: { id, key: z.string(), value: anyValue },
      result: z.void(),
      effect: 'write',
      examples: example(`Session.set_value(id, "language", "de")\nprint(Session.get_value(id, "language"))`),
      handler: ({ id, key, value }, context) => setValue(context, id, key, value),
    }),
    get_value: method({
      doc: 'A value of a session, nil when there is none under this key.',
      params: { id, key: z.string() },
      result: anyValue,
      effect: 'read',
      examples: example(`print(Session.get_value(id, "language") == nil)`, `print(Session.get_value(id, "language") == null)`),
      handler: ({ id, key }, context) => getValue(context, id, key),
    }),
    suspend: method({
      doc: 'Puts an active session aside: it takes nothing in until it is resumed.',
      params: { id },
      result: z.void(),
      effect: 'write',
      examples: example(`Session.suspend(id)\nprint(Session.get(id).status)`),
      handler: ({ id }, context) => moveSession(context, id, 'suspend'),
    }),
    resume: method({
      doc: 'Makes a suspended session active again.',
      params: { id },
      result: z.void(),
      effect: 'write',
      examples: example(`Session.suspend(id)\nSession.resume(id)\nprint(Session.get(id).status)`),
      handler: ({ id }, context) => moveSession(context, id, 'resume'),
    }),
    complete: method({
      doc: 'Ends a session for good; it can still be read, forked and deleted.',
      params: { id },
      result: z.void(),
      effect: 'write',
      examples: example(`Session.complete(id)\nprint(Session.get(id).status)`),
      handler: ({ id }, context) => moveSession(context, id, 'complete'),
    }),
    delete: method({
      doc: 'Removes a session with its turns, values and artifacts; says whether there was one.',
      params: { id },
      result: z.boolean(),
      effect: 'write',
      examples: example(`print(Session.delete(id), Session.delete(id))`),
      handler: ({ id }, context) => deleteSession(context, id),
    }),
    save: method({
      doc: 'Waits until the disk has all of a session, so that not even a power loss takes it; every change survives the end of the process without this. Hooks at `session:save` may refuse.',
      params: { id },
      result: z.void(),
      effect: 'write',
      examples: example(`Session.save(id)\nprint(Session.get(id).saved_at ~= nil)`, `Session.save(id)\nprint(Session.get(id).saved_at != null)`),
      handler: ({ id }, context) => saveSession(context, id),
    }),
    load: method({
      doc: "Takes a session up again and gives it: it becomes the run's own, and active if it was suspended. Raises NOT_FOUND when there is none of this id.",
      params: { id },
      result: info,
      effect: 'write',
      examples: example(`print(Session.load(id).status, Session.current_id() == id)`, `print(Session.load(id).status, Session.current_id() === id)`),
      handler: ({ id }, context) => loadSession(context, id),
    }),
    fork: method({
      doc: 'Copies a session with its turns, values and artifacts into a new, active one and gives its id. What is added to one does not show in the other.',
      params: { id },
      result: z.string(),
      effect: 'write',
      examples: example(
        `Session.add_turn(id, {role = "user", content = "Hello"})\nlocal copy = Session.fork(id)\nprint(Session.get(copy).turns, Session.get(copy).forked_from == id)`,
        `Session.add_turn(id, {role: "user", content: "Hello"})\nconst copy = Session.fork(id)\nprint(Session.get(copy).turns, Session.get(copy).forked_from === id)`,
      ),
      handler: ({ id }, context) => whenReady(forkSession(context, id), (copy) => copy.id),
    }),
    export: method({
      doc: 'Everything of a session as data; of its artifacts what is known of them, without their content.',
      params: { id },
      result: z.object({
        format: z.literal('llmspell-session-1'),
        session: info,
        turns: z.array(turn),
        values: anyMap,
        artifacts: z.array(artifactInfo),
      }),
      effect: 'read',
      examples: example(`print(Session.export(id).session.name)`),
      handler: ({ id }, context) => exportSession(context, id),
    }),
  },
});
