import { lookup } from 'node:dns/promises';
import { Webhook } from 'standardwebhooks';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CallbackSender, type CallbackSenderOptions } from '../../src/integrations/callback-sender.ts';
import { answers, hangs, openReceiver, type Receiver, resets } from '../world/receiver.ts';
import { verifies } from '../world/standard-webhooks.ts';

const SECRETS = ['whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw', 'whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD'] as const;
const MESSAGE = { webhook_id: 'msg_1', body: JSON.stringify({ type: 'build.completed', text: 'ü 😀' }) };

const senderOf = (options: Partial<CallbackSenderOptions> = {}) =>
  new CallbackSender({ secrets: SECRETS, allowedHosts: ['127.0.0.1'], ...options });
/** A resolver that knows one answer, and remembers what it was asked. */
const resolverOf = (...addresses: string[]) => {
  const asked: string[] = [];
  const resolve = async (host: string) => {
    asked.push(host);
    return addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
  };
  return { asked, resolve };
};

describe('a callback on the wire', () => {
  let receiver: Receiver;
  beforeAll(async () => {
    receiver = await openReceiver();
  });
  afterAll(() => receiver.close());

  it('is verified by anybody who holds one of the secrets, and by nobody else', async () => {
    expect(await senderOf().send(receiver.url, MESSAGE)).toMatchObject({ status: 204 });
    const [request] = receiver.received.splice(0);
    expect(request?.body).toBe(MESSAGE.body);
    expect(request?.headers).toMatchObject({ 'content-type': 'application/json', 'webhook-id': 'msg_1' });
    for (const secret of SECRETS) {
      expect(verifies(request!, secret)).toBe(true);
      expect(new Webhook(secret).verify(request!.body, request!.headers as Record<string, string>)).toBeTruthy();
    }
    expect(verifies(request!, 'whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA')).toBe(false);
    for (const change of [{ body: `${MESSAGE.body} ` }, { headers: { ...request!.headers, 'webhook-id': 'msg_2' } }]) {
      expect(verifies({ ...request!, ...change }, SECRETS[0])).toBe(false);
    }
  });

  it('carries no signature where there is no secret', async () => {
    await senderOf({ secrets: [] }).send(receiver.url, MESSAGE);
    expect(receiver.received.splice(0)[0]?.headers).not.toHaveProperty('webhook-signature');
  });

  it('ends in time where the receiver hangs, before its head or within its body', async () => {
    receiver.behave(hangs, (response) => response.writeHead(200).write('.'));
    const sender = senderOf({ timeoutMs: 300 });
    expect(await sender.send(receiver.url, MESSAGE)).toEqual({ status: null, reason: 'no answer within 0.3 s' });
    expect(await sender.send(receiver.url, MESSAGE)).toEqual({ status: 200, retryAfter: undefined, body: '.' });
  });

  it('ends in time where the resolver hangs', async () => {
    const sender = senderOf({ timeoutMs: 200, resolve: () => new Promise(() => {}) });
    expect(await sender.send('http://slow.test/', MESSAGE)).toEqual({ status: null, reason: 'no answer within 0.2 s' });
  });

  it('says why there is no answer, and nothing of the URL', async () => {
    const switches = 'HTTP/1.1 101 Switching Protocols\r\nConnection: Upgrade\r\nUpgrade: other\r\n\r\n';
    receiver.behave(
      resets,
      (response) => response.socket?.end('no HTTP'),
      (response) => response.socket?.write(switches),
      answers(204),
    );
    const { port } = await openReceiver().then(async (closed) => {
      await closed.close();
      return closed;
    });
    const urls = [receiver.url, receiver.url, receiver.url, `http://127.0.0.1:${port}/?token=hush-hush`];
    const reasons: unknown[] = [];
    for (const url of urls) reasons.push(await senderOf().send(url, MESSAGE));
    expect(reasons).toEqual([
      { status: null, reason: 'no answer (ECONNRESET)' },
      { status: null, reason: expect.stringMatching(/^no answer \(HPE_/) },
      { status: null, reason: 'no answer (NO_RESPONSE)' },
      { status: null, reason: 'no answer (ECONNREFUSED)' },
    ]);
    expect(JSON.stringify(reasons)).not.toContain('hush');
  });

  it('follows no redirect', async () => {
    const other = await openReceiver();
    receiver.behave(answers(307, { location: other.url }));
    expect(await senderOf().send(receiver.url, MESSAGE)).toMatchObject({ status: 307 });
    expect(other.received).toEqual([]);
    await other.close();
  });

  it('reads a few KiB of an answer without end', async () => {
    receiver.behave((response) => {
      response.writeHead(500);
      const more = () => {
        while (!response.destroyed && response.write('x'.repeat(65_536)));
        if (!response.destroyed) response.once('drain', more);
      };
      more();
    });
    const answer = await senderOf().send(receiver.url, MESSAGE);
    expect(answer).toMatchObject({ status: 500, body: 'x'.repeat(4_096) });
    receiver.behave(answers(204));
    receiver.received.splice(0);
  });

  describe('goes to no address that is not public', () => {
    const refused = { status: null, reason: expect.stringContaining('no public address') };
    /** Whatever is refused here must not arrive either: the port is that of a receiver that listens. */
    const nothingCame = () => expect(receiver.received).toEqual([]);

    it.each(['127.0.0.1', '0x7f.1', '2130706433', '127.1', '[::1]', '[::ffff:127.0.0.1]', '0.0.0.0', '[::]'])(
      'as a literal: %s',
      async (host) => {
        const { asked, resolve } = resolverOf('127.0.0.1');
        const sender = senderOf({ allowedHosts: [], resolve });
        expect(await sender.send(`http://${host}:${receiver.port}/`, MESSAGE)).toEqual(refused);
        expect(asked).toEqual([]);
        nothingCame();
      },
    );

    it.each([
      ['127.0.0.1'],
      ['10.0.0.1', '192.168.1.1'],
      ['169.254.169.254'],
      ['::1'],
      ['fe80::1%eth0'],
      ['64:ff9b::7f00:1'],
      [],
    ])('after the resolver: %j', async (...addresses) => {
      const { asked, resolve } = resolverOf(...addresses);
      const sender = senderOf({ resolve });
      expect(await sender.send(`http://innocent.test:${receiver.port}/`, MESSAGE)).toEqual(refused);
      expect(asked).toEqual(['innocent.test']);
      nothingCame();
    });

    it('by the system’s own resolver', async () => {
      expect((await lookup('localhost')).address).toMatch(/^(127\.0\.0\.1|::1)$/);
      expect(await senderOf().send(`http://localhost:${receiver.port}/`, MESSAGE)).toEqual(refused);
      nothingCame();
    });

    it('where a name has public addresses too, those alone are called', async () => {
      const { resolve } = resolverOf('127.0.0.1', '8.8.8.8', '::1', '2606:4700::1');
      const addresses = await senderOf({ resolve }).addressesOf('mixed.test');
      expect(addresses.map(({ address }) => address)).toEqual(['8.8.8.8', '2606:4700::1']);
    });

    it('tells no address of an inner network', async () => {
      const { resolve } = resolverOf('10.1.2.3');
      const answer = await senderOf({ resolve }).send('http://inner.test/', MESSAGE);
      expect(answer).toEqual({ status: null, reason: expect.stringContaining('(private)') });
      expect(JSON.stringify(answer)).not.toContain('10.1.2.3');
    });
  });

  it('connects to the addresses that were checked, whatever the name means a moment later', async () => {
    // Allowed by name, so the check passes; the name itself cannot be resolved by anything but this resolver.
    const { asked, resolve } = resolverOf('127.0.0.1');
    const sender = senderOf({ allowedHosts: ['pinned.test'], resolve });
    expect(await sender.send(`http://pinned.test:${receiver.port}/`, MESSAGE)).toMatchObject({ status: 204 });
    expect(asked).toEqual(['pinned.test']);
    expect(receiver.received.splice(0)[0]?.headers.host).toBe(`pinned.test:${receiver.port}`);
  });

  it('is refused where an allowed name has no address at all', async () => {
    const sender = senderOf({ allowedHosts: ['empty.test'], resolve: resolverOf().resolve });
    expect(await sender.send('http://empty.test/', MESSAGE)).toMatchObject({
      reason: expect.stringContaining('(none)'),
    });
  });

  it('reaches an allowed literal, in any notation', async () => {
    for (const host of ['127.0.0.1', '0x7f.1', '2130706433']) {
      expect(await senderOf().send(`http://${host}:${receiver.port}/`, MESSAGE)).toMatchObject({ status: 204 });
    }
  });
});
