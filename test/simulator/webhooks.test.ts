import { expect, test } from 'vitest';
import { eventually, simulate } from './harness.ts';
import { receive } from './receiver.ts';

/** A simulator and somebody who listens; runs change only when told to. */
async function listened() {
  const receiver = await receive();
  const github = await simulate({ webhook: { url: receiver.url, secret: 's' } });
  const told = (...actions: string[]) => eventually(() => expect(receiver.actions()).toEqual(actions));
  return { github, receiver, told };
}

test('each change of a run is told once, again for each attempt', async () => {
  const { github, receiver, told } = await listened();
  const id = await github.dispatch('t');
  await told('requested');
  await github.force(id, 'in_progress');
  await told('requested', 'in_progress');
  await github.force(id, 'completed', 'failure');
  await told('requested', 'in_progress', 'completed');
  await github.control('POST', `/runs/${id}`, { action: 'rerun' });
  await told('requested', 'in_progress', 'completed', 'requested');
  expect(new Set(receiver.deliveries.map(({ headers }) => headers['x-github-delivery'])).size).toBe(4);
  expect(JSON.parse(receiver.deliveries[3]?.body ?? '')).toMatchObject({
    workflow_run: { id, run_attempt: 2, status: 'queued', display_title: 'Build main [t]' },
    repository: { full_name: 'acme/images' },
  });
  await eventually(async () => expect((await github.oracle()).webhooks).toEqual({ sent: 4, accepted: 4, lost: 0 }));
});

test('a delivery can be lost, doubled or late', async () => {
  const { github, receiver, told } = await listened();
  await github.fault(
    { on: 'webhook', kind: 'lose' },
    { on: 'webhook', kind: 'double' },
    { on: 'webhook', kind: 'delay', ms: 50 },
  );
  const id = await github.dispatch('t');
  await github.force(id, 'in_progress');
  await told('in_progress', 'in_progress');
  const [one, two] = receiver.deliveries.map(({ headers }) => headers['x-github-delivery']);
  expect(one).toBe(two);
  const before = Date.now();
  await github.force(id, 'completed', 'success');
  await told('in_progress', 'in_progress', 'completed');
  expect(Date.now() - before).toBeGreaterThanOrEqual(45);
  expect((await github.oracle()).webhooks.lost).toBe(1);
});

test('deliveries can come in the wrong order', async () => {
  const { github, told } = await listened();
  await github.fault({ on: 'webhook', kind: 'reorder' });
  const id = await github.dispatch('t');
  await github.force(id, 'completed', 'success');
  await told('completed', 'requested');
});

test('the settings can break every delivery', async () => {
  const { github, receiver, told } = await listened();
  await github.set({ webhook_faults: { lose: true } });
  await github.dispatch('a');
  await github.set({ webhook_faults: { double: true } });
  await github.dispatch('b');
  await told('requested', 'requested');
  expect(receiver.deliveries.every(({ body }) => body.includes('[b]'))).toBe(true);
});

test('a startup failure tells nothing, though the run says so', async () => {
  const { github, told } = await listened();
  await github.set({ queued_for_ms: 1 });
  const id = await github.dispatch('silent', { simulate: 'startup_failure' });
  await eventually(async () => expect(await github.run(id)).toMatchObject({ conclusion: 'startup_failure' }));
  await github.set({ queued_for_ms: null });
  await github.dispatch('loud');
  await told('requested');
});
