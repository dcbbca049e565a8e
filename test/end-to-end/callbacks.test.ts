import { describe, expect, it, onTestFinished } from 'vitest';
import { eventually } from '../world/eventually.ts';
import { answers, hangs, type Manner, openReceiver } from '../world/receiver.ts';
import { verifies } from '../world/standard-webhooks.ts';
import { directory, installation, startGitHub } from './program.ts';

const SECRET = 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw';

describe('npm start, killed while it calls back', () => {
  it('delivers every callback once it is back, each under one webhook-id and with one body', async () => {
    const github = await startGitHub(await directory());
    const hapax = await installation(github, { CALLBACK_SECRET: SECRET, CALLBACK_ALLOWED_HOSTS: '127.0.0.1' });
    hapax.start();
    await hapax.ready();
    const told = async (ref: string, ...manners: Manner[]) => {
      const receiver = await openReceiver();
      onTestFinished(() => receiver.close());
      receiver.behave(...manners);
      return { receiver, id: await hapax.accepted({ ref, callback_url: receiver.url }) };
    };
    const outcomes = async (id: number) => {
      const { events } = await hapax.build(id);
      return events.filter(({ event_type }) => event_type.startsWith('callback_'));
    };
    // One that was delivered, one whose answer is out, one between two tries, one whose build still runs.
    const done = await told('done', answers(204));
    const out = await told('out', hangs, answers(204));
    const between = await told('between', answers(500), answers(500), answers(204));
    await eventually(async () => {
      expect((await outcomes(done.id)).map(({ event_type }) => event_type)).toEqual(['callback_delivered']);
      expect(out.receiver.received).toHaveLength(1);
      expect(await outcomes(between.id)).toHaveLength(2);
    });
    const running = await told('running', answers(204));
    await hapax.killAll();

    hapax.start();
    await hapax.ready();
    const all = [done, out, between, running];
    for (const { id } of all) {
      await eventually(async () => expect((await outcomes(id)).at(-1)?.event_type).toBe('callback_delivered'));
      expect((await hapax.call('GET', `/builds/${id}/verify`)).json).toMatchObject({ valid: true });
    }
    for (const { receiver, id } of all) {
      const [first] = receiver.received;
      expect(new Set(receiver.received.map(({ headers }) => headers['webhook-id'])).size).toBe(1);
      expect(new Set(receiver.received.map(({ body }) => body)).size).toBe(1);
      expect(receiver.received.every((request) => verifies(request, SECRET))).toBe(true);
      expect(JSON.parse(first!.body)).toMatchObject({ type: 'build.completed', data: { id, status: 'success' } });
    }
    expect(done.receiver.received).toHaveLength(1);
    expect(running.receiver.received).toHaveLength(1);
    expect(hapax.output).not.toContain('hush-hush');
  });
});
