import { compileLater } from '../call/compile.ts';
import { builtinGlobal, method } from '../call/define.ts';
import { anyMap, anyValue, keptCallback } from '../call/schema.ts';
import type { ValueMap } from '../call/value.ts';
import { MOST_MS } from '../config/config.ts';
import { type EventRecord, events } from '../event/bus.ts';
import { splitEventPattern } from '../event/pattern.ts';
import { hooks } from '../hook/hooks.ts';
import { z } from '../zod.ts';

const record = z.object({
  id: z.string(),
  event_type: z.string(),
  payload: anyValue.optional(),
  timestamp: z.number().describe('ms since 1970'),
  sequence: z.int().describe('counts from 1 in each run'),
  source: z.string().describe('script, runtime or host'),
  correlation_id: z.string(),
});

const draft = z.strictObject({
  event_type: z.string(),
  payload: anyValue.optional(),
  correlation_id: z.string().optional().describe('joins what belongs together; that of the current operation if not given'),
});

const checkDraft = compileLater(() => draft);
const checkRecord = compileLater(() => record.nullable());

const subscribeOptions = z.strictObject({
  filter: z
    .union([keptCallback('(event: LlmspellEvent) => boolean'), anyMap])
    .optional()
    .describe('a function of the event, or a map that the payload must contain'),
  max_queue: z.int().min(1).max(100_000).optional().describe('events that wait while the handler is busy; 1,000 if not given, then the oldest is dropped'),
  timeout_ms: z.int().min(1).max(MOST_MS).optional().describe('time of one call of the handler; 60,000 if not given'),
});

/** Publish and subscribe inside a run. */
export const eventGlobal = builtinGlobal({
  name: 'Event',
  doc: 'Events of this run: those that the script emits and those of the runtime itself (`agent.<name>.completed`, `tool.error`, …). Segments, of letters, digits, `_` and `-`, are split at `.` and `:`; in patterns `*` is one segment, or the rest when it is last, and `**` any number.',
  methods: {
    emit: method({
      doc: 'Emits an event: `emit{event_type, payload?, correlation_id?}` or `emit(type, payload)`. Handlers of this run get it before the call returns; one that waits goes on by itself. Gives the event; nil when a hook skipped it.',
      params: { event: z.union([z.string(), draft]), payload: anyValue.optional() },
      result: record.nullable(),
      effect: 'write',
      examples: [
        {
          lua: `Event.subscribe("custom:milestone", function(event) print(event.payload.progress) end)\nEvent.emit({event_type = "custom:milestone", payload = {progress = 0.75}})`,
          javascript: `Event.subscribe("custom:milestone", event => print(event.payload.progress))\nEvent.emit({event_type: "custom:milestone", payload: {progress: 0.75}})`,
        },
      ],
      handler({ event, payload }, context) {
        const wanted = typeof event === 'string' ? { event_type: event, ...(payload !== undefined && { payload }) } : event;
        return context.run.get(hooks).around<ValueMap, EventRecord | null>(
          context,
          {
            kind: 'event',
            name: wanted.event_type,
            before: 'before_emit',
            after: 'after_emit',
            input: wanted as ValueMap,
            checkInput: (changed) => checkDraft(changed, 'Event.emit: input') as ValueMap,
            checkOutput: (changed) => checkRecord(changed, 'Event.emit: output') as EventRecord | null,
          },
          (input) => context.run.get(events).emit(context, input as z.output<typeof draft>),
        );
      },
    }),
    subscribe: method({
      doc: 'Calls a function for every matching event until the run ends or `unsubscribe`. A handler takes one event at a time, in order; its errors are counted and emitted as `event.handler_failed`.',
      params: { pattern: z.string(), handler: keptCallback('(event: LlmspellEvent) => any'), options: subscribeOptions.optional() },
      result: z.string(),
      effect: 'write',
      keeps: true,
      examples: [
        {
          lua: `local id = Event.subscribe("workflow.*.completed", function(event) print(event.event_type) end)\nEvent.unsubscribe(id)`,
          javascript: `const id = Event.subscribe("workflow.*.completed", event => print(event.event_type))\nEvent.unsubscribe(id)`,
        },
      ],
      handler({ pattern, handler, options }, context) {
        splitEventPattern(pattern, `${context.method}: pattern`);
        return context.run.get(events).subscribe(context, pattern, handler, options);
      },
    }),
    unsubscribe: method({
      doc: 'Ends a subscription; says whether there was one.',
      params: { id: z.string() },
      result: z.boolean(),
      effect: 'write',
      examples: [{ lua: `print(Event.unsubscribe("sub_7"))`, javascript: `print(Event.unsubscribe("sub_7"))` }],
      handler: ({ id }, { run }) => run.get(events).unsubscribe(id),
    }),
    receive: method({
      doc: 'Waits for the next matching event since the pattern was first received; nil when none came in time.',
      params: { pattern: z.string(), timeout_ms: z.number().min(0).max(MOST_MS).optional() },
      result: record.nullable(),
      effect: 'wait',
      examples: [
        {
          lua: `Event.receive("job.*", 0)\nEvent.emit("job.done", 42)\nprint(Event.receive("job.*").payload)`,
          javascript: `Event.receive("job.*", 0)\nEvent.emit("job.done", 42)\nprint(Event.receive("job.*").payload)`,
        },
      ],
      handler({ pattern, timeout_ms }, context) {
        splitEventPattern(pattern, `${context.method}: pattern`);
        return context.run.get(events).receive(context, pattern, timeout_ms);
      },
    }),
    flush: method({
      doc: 'Waits until every handler has ended.',
      params: {},
      result: z.void(),
      effect: 'wait',
      examples: [{ lua: `Event.flush()`, javascript: `Event.flush()` }],
      handler: (_, context) => context.run.get(events).flush(context),
    }),
    list_subscriptions: method({
      doc: "The run's subscriptions and listeners of the host, with their counts.",
      params: {},
      result: z.array(
        z.object({
          id: z.string(),
          pattern: z.string(),
          source: z.enum(['script', 'host']),
          delivered: z.int(),
          failed: z.int(),
          dropped: z.int(),
          queue_depth: z.int(),
        }),
      ),
      effect: 'read',
      examples: [{ lua: `print(#Event.list_subscriptions())`, javascript: `print(Event.list_subscriptions().length)` }],
      handler: (_, { run }) => run.get(events).list(),
    }),
    stats: method({
      doc: "Counts of this run's events. `dropped` are those that a full queue let go of, and those of the runtime that nobody was given because handlers caused one another 8 deep or too many waited.",
      params: {},
      result: z.object({ emitted: z.int(), delivered: z.int(), dropped: z.int(), failed: z.int(), subscriptions: z.int(), queue_depth: z.int() }),
      effect: 'read',
      examples: [{ lua: `print(Event.stats().emitted)`, javascript: `print(Event.stats().emitted)` }],
      handler: (_, { run }) => run.get(events).stats(),
    }),
    history: method({
      doc: 'Earlier events of this run, oldest first: the last 1,000 at most; with a limit the latest ones.',
      params: { query: z.strictObject({ pattern: z.string().optional(), since: z.number().optional(), limit: z.int().min(1).optional() }).default({}) },
      result: z.array(record),
      effect: 'read',
      examples: [
        {
          lua: `Event.emit("a.b", 1)\nprint(Event.history({pattern = "a.*"})[1].payload)`,
          javascript: `Event.emit("a.b", 1)\nprint(Event.history({pattern: "a.*"})[0].payload)`,
        },
      ],
      handler: ({ query }, { run }) => run.get(events).history(query),
    }),
  },
});
