import { type AddressInfo, createServer, type Socket } from 'node:net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { ConfigInput } from '../../src/config/config.ts';
import { ScriptError } from '../../src/errors.ts';
import { sendAlert } from '../../src/log/alert.ts';
import { tools } from '../../src/tool/registry.ts';
import { testHost, testRun } from '../support/run.ts';

/** What the server was told: commands, and messages as they came. */
let commands: string[] = [];
let messages: string[] = [];
/** Answers in place of the usual ones, by the beginning of a command. */
let instead: Record<string, string | null> = {};

/** A mail server (RFC 5321) of the least that there is, with AUTH PLAIN. */
const server = createServer((socket: Socket) => {
  let pending = '';
  let data = false;
  socket.on('error', () => undefined);
  const say = (line: string) => socket.write(`${line}\r\n`);
  const hear = (line: string) => {
    commands.push(line);
    const own = Object.entries(instead).find(([command]) => line.startsWith(command));
    if (own) return own[1] === null ? socket.destroy() : say(own[1]);
    if (/^EHLO/.test(line)) return say('250-test\r\n250 AUTH PLAIN');
    if (line.startsWith('AUTH')) return say(Buffer.from(line.split(' ')[2] ?? '', 'base64').toString() === '\0ada\0pass' ? '235 ok' : '535 5.7.8 wrong');
    if (line === 'DATA') {
      data = true;
      return say('354 go on');
    }
    return say(line === 'QUIT' ? '221 bye' : '250 ok');
  };
  say('220 test');
  socket.on('data', (bytes) => {
    pending += bytes.toString('utf8');
    for (;;) {
      const end = data ? '\r\n.\r\n' : '\r\n';
      const at = pending.indexOf(end);
      if (at < 0) return;
      const text = pending.slice(0, at);
      pending = pending.slice(at + end.length);
      if (!data) {
        hear(text);
        continue;
      }
      data = false;
      messages.push(text);
      hear('(message)');
    }
  });
});
let port = 0;
beforeAll(async () => {
  await new Promise<void>((done) => server.listen(0, '127.0.0.1', done));
  port = (server.address() as AddressInfo).port;
  process.env.LLMSPELL_TEST_MAIL = 'pass';
});
beforeEach(() => {
  [commands, messages, instead] = [[], [], {}];
});
afterAll(() => server.close());

type Email = NonNullable<NonNullable<ConfigInput['tools']>['email']>;
function call(input: Record<string, unknown>, email: Partial<Email> | null = {}) {
  const settings = { host: '127.0.0.1', port, security: 'none', from: 'Bot <bot@example.org>', ...email } as const;
  const { run, context } = testRun({ host: testHost(email === null ? {} : { tools: { email: settings } }) });
  return {
    run,
    sent: Promise.resolve().then(() =>
      run.get(tools).execute(context, 'email_send', { to: 'ada@example.org', subject: 'Hi', text: 'Hello', ...input } as never),
    ) as Promise<Record<string, unknown>>,
  };
}
const send = (input: Record<string, unknown> = {}, email: Partial<Email> | null = {}) => call(input, email).sent;
const refusal = (input: Record<string, unknown> = {}, email: Partial<Email> | null = {}): Promise<ScriptError> =>
  send(input, email).then(
    (value) => Promise.reject(new Error(`it gave ${JSON.stringify(value)}`)),
    (error) => error,
  );

describe('email_send', () => {
  it('hands a message to the configured server', async () => {
    const result = await send(
      {
        to: ['Ada Lovelace <ada@example.org>', 'bob@example.org'],
        bcc: 'eve@example.org',
        reply_to: 'answers@example.org',
        subject: 'Grüße',
        text: 'Hello\n.\nthere',
        html: '<p>Hello</p>',
        attachments: [{ filename: '../a.bin', content: new Uint8Array([1, 2, 3]) }],
      },
      { user: 'ada', password_env: 'LLMSPELL_TEST_MAIL' },
    );
    expect(result).toEqual({ message_id: expect.stringMatching(/^<.*>$/), accepted: ['ada@example.org', 'bob@example.org', 'eve@example.org'], rejected: [] });
    expect(commands.filter((line) => /^(?:MAIL|RCPT)/.test(line))).toEqual([
      expect.stringMatching(/^MAIL FROM:<bot@example.org>/),
      'RCPT TO:<ada@example.org>',
      'RCPT TO:<bob@example.org>',
      'RCPT TO:<eve@example.org>',
    ]);
    const [message = ''] = messages;
    expect(message).toMatch(/^From: Bot <bot@example\.org>\r$/m);
    expect(message).toMatch(/^To: Ada Lovelace <ada@example\.org>, bob@example\.org\r$/m);
    expect(message).toMatch(/^Subject: =\?UTF-8\?/m);
    expect(message).toContain('filename=.._a.bin');
    expect(message).toContain('AQID');
    expect(message).not.toContain('eve@example.org');
  });

  it.each<[string, Record<string, unknown>, RegExp]>([
    ['a line break in the subject', { subject: 'Hi\r\nBcc: eve@example.org' }, /^email_send: subject: expected one line/],
    ['a line break in an address', { to: 'ada@example.org\r\nRCPT TO:<eve@example.org>' }, /^email_send: to: expected one line/],
    ['several addresses in one', { to: 'ada@example.org, eve@example.org' }, /^email_send: to: expected one address/],
    ['something that is no address', { cc: 'Ada' }, /^email_send: cc: expected one address/],
    ['a name that hides an address', { to: '"x" <a@b.c> <ada@example.org>' }, /^email_send: to: expected one address/],
    ['a message without text', { text: undefined }, /^email_send: expected text or html/],
    ['nobody', { to: [] }, /^email_send: to: expected at least one address/],
    ['a line break in a file name', { attachments: [{ filename: 'a\nb', content: 'x' }] }, /filename: expected one line/],
  ])('refuses %s', async (_, input, message) => {
    const given = Object.fromEntries(Object.entries({ text: 'Hello', ...input }).filter(([, value]) => value !== undefined));
    const { run, context } = testRun({ host: testHost({ tools: { email: { host: '127.0.0.1', port, security: 'none', from: 'bot@example.org' } } }) });
    const going = Promise.resolve().then(() => run.get(tools).execute(context, 'email_send', { to: 'ada@example.org', subject: 'Hi', ...given } as never));
    await expect(going).rejects.toMatchObject({ code: 'BAD_ARGUMENT', message: expect.stringMatching(message) });
    expect(commands).toEqual([]);
  });

  it('needs a server, the grant, and recipients that are allowed', async () => {
    expect(await refusal({}, null)).toMatchObject({ code: 'NOT_ALLOWED', message: expect.stringContaining('[tools.email]') });
    expect(await refusal({ cc: 'Eve <EVE@other.org>' }, { recipients: ['*@example.org'] })).toMatchObject({
      code: 'NOT_ALLOWED',
      message: 'email_send: cc: mail to EVE@other.org is not allowed (tools.email.recipients)',
    });
    expect(await refusal({}, { user: 'ada', password_env: 'LLMSPELL_TEST_NO_SUCH' })).toMatchObject({ code: 'BAD_CONFIG' });
    const { run, context } = testRun({ grants: { capabilities: new Set() } });
    await expect(Promise.resolve().then(() => run.get(tools).execute(context, 'email_send', { to: 'a@b.c', subject: '', text: '' }))).rejects.toMatchObject({
      code: 'NOT_ALLOWED',
      message: expect.stringContaining('the grant email'),
    });
    expect(commands).toEqual([]);
  });

  it('tells what the server said, and whether trying again may help', async () => {
    instead = { RCPT: '550 5.1.1 no such user' };
    expect(await refusal()).toMatchObject({
      code: 'TOOL_FAILED',
      message: expect.stringMatching(/answered 550: 550 5\.1\.1 no such user/),
      details: { outcome: 'failed', retryable: false, status: 550 },
    });
    instead = { MAIL: '451 later' };
    expect(await refusal()).toMatchObject({ details: { outcome: 'failed', retryable: true, status: 451 } });
    instead = { '(message)': null };
    expect(await refusal()).toMatchObject({ code: 'TOOL_FAILED', details: { outcome: 'unknown', retryable: true } });
    instead = {};
    expect(await refusal({}, { user: 'ada', password_env: 'PATH' })).toMatchObject({
      message: expect.stringContaining('refused the user or password'),
      details: { retryable: false },
    });
    expect(await refusal({}, { port: 9 })).toMatchObject({
      code: 'TOOL_FAILED',
      message: 'email_send: the mail server cannot be reached (ECONNREFUSED)',
      details: { outcome: 'not_sent' },
    });
  });

  it('sends nothing in the open when it should be encrypted', async () => {
    expect(await refusal({}, { security: 'starttls' })).toMatchObject({ code: 'TOOL_FAILED', message: expect.stringContaining('tools.email.security') });
    expect(messages).toEqual([]);
    expect(commands.filter((line) => /^(?:MAIL|AUTH)/.test(line))).toEqual([]);
  });

  it('lets go when the run is cancelled', async () => {
    instead = { MAIL: '' };
    const { run, sent } = call({});
    const failed = expect(sent).rejects.toMatchObject({ code: 'CANCELLED' });
    while (!commands.some((line) => line.startsWith('MAIL'))) await new Promise((done) => setImmediate(done));
    run.abort(new ScriptError('CANCELLED', 'no more'));
    await failed;
  });
});

describe('an alert by e-mail', () => {
  const alert = (email: Partial<Email> = {}) => {
    const settings = { host: '127.0.0.1', port, security: 'none', from: 'Bot <bot@example.org>', ...email, recipients: [] } satisfies Email;
    const { context } = testRun({
      host: testHost({ log: { level: 'silent' }, tools: { email: settings }, alerts: { channels: { people: { email: ['ada@example.org'] } } } }),
    });
    return sendAlert(context, 'Disk\r\nBcc: eve@example.org', { used: 97n }, { severity: 'error' });
  };

  it('reaches the addresses of the channel', async () => {
    expect(await alert()).toEqual({ delivered: ['people'], failed: [] });
    expect(messages[0]).toMatch(/^To: ada@example\.org\r$/m);
    expect(messages[0]).toMatch(/^Subject: error: Disk Bcc: eve@example\.org\r$/m);
    expect(messages[0]).toContain('"used": 97');
    expect(commands.filter((line) => line.startsWith('RCPT'))).toEqual(['RCPT TO:<ada@example.org>']);
  });

  it('says why it does not', async () => {
    instead = { RCPT: '550 no such user' };
    expect(await alert()).toEqual({ delivered: [], failed: [{ channel: 'people', error: expect.stringMatching(/^the mail server /) }] });
    expect((await alert({ password_env: 'LLMSPELL_NO_SUCH', user: 'a' })).failed).toEqual([
      { channel: 'people', error: 'the environment variable LLMSPELL_NO_SUCH is not set' },
    ]);
  });

  it('needs a mail server, and a channel is of one kind', () => {
    expect(() => testHost({ alerts: { channels: { people: { email: ['ada@example.org'] } } } })).toThrow('needs a mail server in [tools.email]');
    expect(() => testHost({ alerts: { channels: { people: {} } } })).toThrow('expected either webhook or email');
  });
});
