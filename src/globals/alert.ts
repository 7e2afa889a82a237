import { builtinGlobal, method } from '../call/define.ts';
import { anyValue } from '../call/schema.ts';
import { SEVERITIES, sendAlert } from '../log/alert.ts';
import { z } from '../zod.ts';

/** Telling people. */
export const alertGlobal = builtinGlobal({
  name: 'Alert',
  doc: 'Tells people that something happened.',
  methods: {
    send: method({
      doc: 'Writes an alert to the log, emits the event `alert.<severity>` and tells the channels that the configuration names in `[alerts.channels]`: it posts to a `webhook`, and sends a message to the addresses of an `email`.',
      params: {
        title: z.string().min(1),
        payload: anyValue.optional(),
        options: z.strictObject({ severity: z.enum(SEVERITIES).optional().describe('warning if not given'), channel: z.string().optional() }).default({}),
      },
      result: z.object({ delivered: z.array(z.string()), failed: z.array(z.object({ channel: z.string(), error: z.string() })) }),
      effect: 'external',
      examples: [
        {
          lua: `Alert.send("Disk is nearly full", {used = 0.97}, {severity = "warning"})`,
          javascript: `Alert.send("Disk is nearly full", {used: 0.97}, {severity: "warning"})`,
        },
      ],
      handler: ({ title, payload, options }, context) => sendAlert(context, title, payload ?? null, options),
    }),
  },
});
