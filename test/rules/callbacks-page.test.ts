import { spawnSync } from 'node:child_process';
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSettings } from '../../src/contracts/settings.ts';
import { CallbackSender } from '../../src/integrations/callback-sender.ts';
import { openReceiver, type Received, type Receiver } from '../world/receiver.ts';

const pageOf = (name: string) => readFileSync(fileURLToPath(new URL(`../../docs/${name}.md`, import.meta.url)), 'utf8');
const PAGES = `${pageOf('callbacks')}\n${pageOf('n8n')}`;
const SECRETS = ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD'] as const;

/** The only block of a language on the two pages. */
function block(language: string): string {
  const blocks = [...PAGES.matchAll(new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\`$`, 'gms'))];
  expect(blocks, language).toHaveLength(1);
  return blocks[0]?.[1] ?? '';
}

/** How to run each recipe on a JSON array of secret, headers and body, so that it prints true or false. */
const PROGRAMS = {
  js: [
    process.execPath,
    '--input-type=module',
    '--eval',
    `${block('js')}\nconsole.log(verify(...JSON.parse(process.env.REQUEST)));`,
  ],
  python: [
    'python3',
    '-c',
    `${block('python')}\nimport json, os\ns, h, b = json.loads(os.environ["REQUEST"])\nprint(str(verify(s, h, b.encode())).lower())`,
  ],
} as const;
const hasPython = spawnSync('python3', ['--version']).status === 0;
if (!hasPython) console.warn('SKIPPED: the recipe for Python, since there is no python3');

describe('the recipes in docs/callbacks.md and docs/n8n.md', () => {
  let receiver: Receiver;
  let request: Received;
  beforeAll(async () => {
    receiver = await openReceiver();
    const sender = new CallbackSender({ secrets: SECRETS, allowedHosts: ['127.0.0.1'] });
    await sender.send(receiver.url, { webhook_id: 'msg_1', body: '{"text":"ü 😀"}' });
    request = receiver.received[0]!;
  });
  afterAll(() => receiver.close());

  it.each(['js', ...(hasPython ? (['python'] as const) : [])] as const)(
    'verify what is sent, and nothing else: %s',
    (language) => {
      const [command, ...args] = PROGRAMS[language];
      const verify = (secret: string, headers: object, body: string) => {
        const env = { ...process.env, REQUEST: JSON.stringify([secret, headers, body]) };
        const { stdout, stderr } = spawnSync(command, args, { env, encoding: 'utf8' });
        return stdout.trim() || stderr;
      };
      const { headers, body } = request;
      for (const secret of SECRETS) expect(verify(secret, headers, body)).toBe('true');
      expect(verify(`whsec_${'A'.repeat(32)}`, headers, body)).toBe('false');
      expect(verify(SECRETS[0], headers, `${body} `)).toBe('false');
      expect(verify(SECRETS[0], { ...headers, 'webhook-id': 'msg_2' }, body)).toBe('false');
      const old = String(Number(headers['webhook-timestamp']) - 600);
      expect(verify(SECRETS[0], { ...headers, 'webhook-timestamp': old }, body)).toBe('false');
    },
  );

  it("make a secret that n8n's Crypto node can use", async () => {
    const { stdout, stderr } = spawnSync('sh', ['-c', block('shell')], { encoding: 'utf8' });
    const [, secret] = /CALLBACK_SECRET=(\S+)/.exec(stdout) ?? [];
    const [, text] = /for n8n: +(\S+)/.exec(stdout) ?? [];
    expect(stderr).toBe('');
    const settings = readSettings({ CALLBACK_SECRET: secret });
    const sender = new CallbackSender({ secrets: settings.CALLBACK_SECRET, allowedHosts: ['127.0.0.1'] });
    await sender.send(receiver.url, { webhook_id: 'msg_2', body: '{"text":"ü 😀","n":[1.5,null]}' });
    const { headers, body } = receiver.received.at(-1)!;
    // As the Crypto node does: HMAC of the value with the text, in base64.
    const value = `${headers['webhook-id']}.${headers['webhook-timestamp']}.${JSON.stringify(JSON.parse(body))}`;
    const expected = createHmac('sha256', text!).update(value).digest('base64');
    expect(String(headers['webhook-signature']).split(' ')).toContain(`v1,${expected}`);
  });
});
