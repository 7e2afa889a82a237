import { matchesAny } from '../../call/capability.ts';
import { external } from '../../call/external.ts';
import { bytes } from '../../call/schema.ts';
import type { Config } from '../../config/config.ts';
import { ScriptError } from '../../errors.ts';
import { z } from '../../zod.ts';
import { mailPassword, sendMail } from '../mail.ts';
import { defineTool } from '../tool.ts';

type EmailSettings = NonNullable<Config['tools']['email']>;
const MOST_ATTACHED_BYTES = 10 * 2 ** 20;

const address = z.string().min(3).max(400).describe('ada@example.org, or Ada <ada@example.org>');
const addresses = z.union([address, z.array(address).max(100)]);

/** E-mail by the server that the configuration names in `[tools.email]`. */
export const emailSend = defineTool(
  {
    name: 'email_send',
    description: 'Sends an e-mail by the configured server',
    category: 'web',
    tags: ['network', 'mail', 'notify'],
    needs: 'email',
    input: z.strictObject({
      to: addresses,
      cc: addresses.default([]),
      bcc: addresses.default([]),
      reply_to: address.optional(),
      subject: z.string().max(1_000),
      text: z.string().max(1_000_000).optional(),
      html: z.string().max(1_000_000).optional(),
      attachments: z
        .array(z.strictObject({ filename: z.string().min(1).max(200), content: bytes, content_type: z.string().max(100).optional() }))
        .max(20)
        .default([])
        .describe('up to 10 MB together'),
    }),
    output: z.object({ message_id: z.string(), accepted: z.array(z.string()), rejected: z.array(z.string()) }),
    examples: [
      {
        lua: `local ok, err = pcall(Tool.execute, "email_send", {to = "ada@example.org", subject = "Hi", text = "Hello"})\nprint(err.code)`,
        javascript: `try { Tool.execute("email_send", {to: "ada@example.org", subject: "Hi", text: "Hello"}) } catch (err) { print(err.code) }`,
      },
    ],
    execute(input, context) {
      const settings = context.run.host.config.tools.email;
      if (!settings)
        throw new ScriptError('NOT_ALLOWED', 'email_send: no mail server is configured; name one in [tools.email] (host, from, user, password_env)', {
          details: { outcome: 'not_sent', retryable: false },
        });
      if (input.text === undefined && input.html === undefined) throw new ScriptError('BAD_ARGUMENT', 'email_send: expected text or html');
      const total = input.attachments.reduce((sum, { content }) => sum + content.length, 0);
      if (total > MOST_ATTACHED_BYTES)
        throw new ScriptError('LIMIT_EXCEEDED', `email_send: attachments: ${total} bytes are more than the ${MOST_ATTACHED_BYTES} that are sent at most`);
      const [to, cc, bcc] = [recipients(input.to, 'to', settings), recipients(input.cc, 'cc', settings), recipients(input.bcc, 'bcc', settings)];
      if (to.length + cc.length + bcc.length === 0) throw new ScriptError('BAD_ARGUMENT', 'email_send: to: expected at least one address');
      const message = {
        from: parse(settings.from, 'from'),
        to,
        cc,
        bcc,
        subject: oneLine(input.subject, 'subject'),
        ...(input.reply_to !== undefined && { replyTo: parse(input.reply_to, 'reply_to') }),
        ...(input.text !== undefined && { text: input.text }),
        ...(input.html !== undefined && { html: input.html }),
        attachments: input.attachments.map(({ filename, content, content_type }) => ({
          filename: oneLine(filename, 'attachments: filename').replaceAll(/[\\/]/g, '_'),
          content: Buffer.from(content),
          ...(content_type !== undefined && { contentType: oneLine(content_type, 'attachments: content_type') }),
        })),
      };
      return external(context, () => sendMail(context, settings, mailPassword(context, settings), message));
    },
  },
  'builtin',
);

/** Each one address that the configuration allows: a text with several would slip past. */
function recipients(given: string | readonly string[], field: string, settings: EmailSettings): { name: string; address: string }[] {
  return (typeof given === 'string' ? [given] : given).map((one) => {
    const parsed = parse(one, field);
    if (matchesAny(settings.recipients, parsed.address.toLowerCase())) return parsed;
    throw new ScriptError('NOT_ALLOWED', `email_send: ${field}: mail to ${parsed.address} is not allowed (tools.email.recipients)`, {
      details: { outcome: 'not_sent', retryable: false },
    });
  });
}

const ADDRESS = /^[^\s@,;:<>"()[\]\\]{1,64}@[A-Za-z0-9](?:[A-Za-z0-9.-]{0,250}[A-Za-z0-9])?$/;

function parse(text: string, field: string): { name: string; address: string } {
  const [, name = '', inner] = /^([^<>"]*)<([^<>]*)>$/.exec(oneLine(text, field).trim()) ?? [];
  const plain = (inner ?? text).trim();
  if (!ADDRESS.test(plain))
    throw new ScriptError('BAD_ARGUMENT', `email_send: ${field}: expected one address such as ada@example.org, got ${JSON.stringify(text.slice(0, 100))}`);
  return { name: name.trim(), address: plain };
}

/** A line break would add a header of its own. */
function oneLine(text: string, field: string): string {
  for (let at = 0; at < text.length; at++)
    if (text.charCodeAt(at) < 32 || text.charCodeAt(at) === 127) throw new ScriptError('BAD_ARGUMENT', `email_send: ${field}: expected one line of text`);
  return text;
}
