import { expect, it } from 'vitest';
import { eventually } from '../world/eventually.ts';
import { openWorld } from '../world/world.ts';

const INTERVAL_MS = 500;

it('builds whose runs are far behind the newest 100 cost two list calls an interval and worker, and no others', async () => {
  const world = await openWorld('server', { GITHUB_POLL_INTERVAL: `${INTERVAL_MS}ms` });
  try {
    await world.startWorker();
    const ids: number[] = await Promise.all(
      Array.from({ length: 20 }, async (_, n) => {
        const { json } = await world.trigger({ ref: `followed-${n}`, inputs: { simulate: 'stuck' } });
        return json.id;
      }),
    );
    const inProgress = () => Promise.all(ids.map(async (id) => (await world.build(id)).events.at(-1)?.event_data));
    await eventually(async () => {
      for (const data of await inProgress()) expect(data?.run_status).toBe('in_progress');
    });
    // A workflow thread that loaded what ADR 15 gives it: the SDK alone would list the stacks of all promises.
    for await (const { workflowId } of world.client.workflow.list({ query: "WorkflowType = 'build'", pageSize: 1 })) {
      expect(await world.client.workflow.getHandle(workflowId).query('__stack_trace')).toBe('');
      break;
    }
    // Strangers push them onto the fourth page.
    const strangers = {
      repository: 'acme/images',
      display_title: 'a stranger',
      count: 350,
      inputs: { simulate: 'stuck' },
    };
    await world.github.control('POST', '/runs', strangers);
    const last = (await world.build(ids[0]!)).workflow_run_id!;
    const { requests: before } = await world.github.oracle();
    const from = Date.now();
    await world.github.force(last, 'completed', 'success');
    expect((await world.ended(ids[0]!)).status).toBe('success');

    const { requests: after } = await world.github.oracle();
    // Each worker reads two pages in an interval: the newest one, and one of pages 2 to 4 in turn.
    const intervals = Math.ceil((Date.now() - from) / INTERVAL_MS) + 1;
    expect(after.list! - before.list!).toBeLessThanOrEqual(2 * 2 * intervals);
    // The one that ended, and per worker at most one doubt about each of the others.
    expect(after.get! - before.get!).toBeLessThanOrEqual(1 + 2 * ids.length);
    for (const id of ids.slice(1)) await world.call('POST', `/builds/${id}/cancel`, {});
    for (const id of ids.slice(1)) await world.ended(id);
  } finally {
    await world.close();
  }
});
