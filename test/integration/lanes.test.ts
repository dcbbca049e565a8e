import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BuildView } from '../../src/contracts/builds/build.ts';
import type { OracleRun } from '../simulator/harness.ts';
import { eventually } from '../world/eventually.ts';
import { openWorld, type World } from '../world/world.ts';

describe('builds of one repository, workflow and ref, led by two workers', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld('server');
    await world.startWorker();
    for (const concurrency of ['queue', 'cancel_previous', 'allow']) {
      await world.call('PUT', `/configs/by-name/${concurrency}`, {
        repository: 'acme/images',
        workflow: 'build.yml',
        concurrency,
      });
    }
  });
  afterAll(() => world.close());

  /** Triggers differ in an input, or they would be one build. */
  const trigger = async (config: string, ref: string, inputs: object = {}): Promise<number> =>
    (await world.trigger({ config, ref, inputs: { number: randomUUID(), ...inputs } })).json.id;
  const cancel = (id: number) => world.call('POST', `/builds/${id}/cancel`, {});
  const runsOf = async (ref: string) => (await world.github.runs()).filter((run) => run.ref === ref).reverse();
  const typesOf = ({ events }: BuildView) => events.map((event) => event.event_type);
  const running = (id: number) =>
    eventually(async () => expect((await world.build(id)).workflow_run_id).toEqual(expect.anything()));
  const stateOf = async (id: number) => {
    const { events } = await world.build(id);
    return world.client.workflow.getHandle(String(events[0]!.event_data!.workflow_id)).query('state');
  };

  it('queue: run one after the other in their order, and those of another ref beside', async () => {
    const ref = `queue-${randomUUID()}`;
    const ids: number[] = [];
    for (let index = 0; index < 5; index++) ids.push(await trigger('queue', ref));
    const beside = await trigger('queue', `${ref}-other`, { simulate: 'stuck' });
    await running(beside);

    const ended = await Promise.all(ids.map((id) => world.ended(id)));
    expect(ended.map(({ status }) => status)).toEqual(Array(5).fill('success'));
    const runs = await runsOf(ref);
    expect(runs.map(({ token }) => Number(token?.split('-')[1]))).toEqual(ids);
    for (const [index, next] of runs.slice(1).entries()) {
      expect(begin(next)).toBeGreaterThanOrEqual(end(runs[index]!));
    }
    expect((await world.build(beside)).status).toBe('in_progress');
    await cancel(beside);
  });

  it('allow, the default: run side by side', async () => {
    const ref = `allow-${randomUUID()}`;
    const ids = [
      await trigger('allow', ref, { simulate: 'stuck' }),
      await trigger('allow', ref, { simulate: 'stuck' }),
    ];
    await Promise.all(ids.map(running));
    await Promise.all(ids.map(cancel));
    for (const id of ids) expect((await world.ended(id)).status).toBe('cancelled');
  });

  it('what a build waits for shows, and one that is cancelled meanwhile sends nothing', async () => {
    const ref = `waits-${randomUUID()}`;
    const first = await trigger('queue', ref, { simulate: 'stuck' });
    await running(first);
    const second = await trigger('queue', ref);
    const third = await trigger('queue', ref);
    expect((await world.build(first)).waits_for).toEqual([]);
    await eventually(async () =>
      expect(await world.build(third)).toMatchObject({ status: 'queued', waits_for: [first, second] }),
    );
    await eventually(async () => expect(await stateOf(third)).toMatchObject({ phase: 'waiting_for_turn' }));

    await cancel(second);
    const cancelled = await world.ended(second);
    expect(cancelled).toMatchObject({ status: 'cancelled', attempts: 0, started_at: null });
    expect(typesOf(cancelled)).toEqual(['build_queued', 'cancel_requested', 'build_cancelled']);
    expect((await world.build(third)).waits_for).toEqual([first]);
    await cancel(first);
    expect((await world.ended(third)).status).toBe('success');
    expect(await runsOf(ref)).toHaveLength(2);
  });

  it('cancel_previous: the last one runs, those before it end as cancelled by it', async () => {
    const ref = `newest-${randomUUID()}`;
    const first = await trigger('cancel_previous', ref, { simulate: 'stuck' });
    await running(first);
    const later = [await trigger('cancel_previous', ref, { simulate: 'slow' }), await trigger('cancel_previous', ref)];
    expect((await world.ended(later[1]!)).status).toBe('success');
    for (const id of [first, later[0]!]) {
      const build = await world.ended(id);
      expect(build.status).toBe('cancelled');
      const by = build.events.find((event) => event.event_type === 'cancel_requested')?.event_data?.by;
      expect(later.filter((other) => other > id).map((other) => `build ${other}`)).toContain(by);
    }
    const runs = await runsOf(ref);
    expect(runs.at(-1)).toMatchObject({ conclusion: 'success' });
    expect(runs.slice(0, -1).map(({ conclusion }) => conclusion)).toEqual(Array(runs.length - 1).fill('cancelled'));
    for (const [index, next] of runs.slice(1).entries()) {
      expect(begin(next)).toBeGreaterThanOrEqual(end(runs[index]!));
    }
  });

  it('a retry waits for its turn again, behind those that were queued before it was asked for', async () => {
    const ref = `retry-${randomUUID()}`;
    const failed = await trigger('queue', ref, { simulate: 'flaky' });
    expect((await world.ended(failed)).status).toBe('failure');
    const first = await trigger('queue', ref, { simulate: 'stuck' });
    await running(first);
    const second = await trigger('queue', ref);
    await world.call('POST', `/builds/${failed}/retry`, { mode: 'rerun' });
    await eventually(async () => expect((await world.build(failed)).waits_for).toEqual([first, second]));
    await cancel(first);
    const [run] = await runsOf(ref);
    expect((await world.ended(second)).status).toBe('success');
    await eventually(async () =>
      expect(await world.build(failed)).toMatchObject({ status: 'success', run_attempt: 2 }),
    );
    const [, , last] = await runsOf(ref);
    const again = (await runsOf(ref)).find(({ id }) => id === run?.id)!;
    expect(Date.parse(again.history.find((moment) => moment.run_attempt === 2)!.at)).toBeGreaterThanOrEqual(end(last!));
  });

  it('one whose workflow was terminated by hand holds its place until it is cancelled', async () => {
    const ref = `gone-${randomUUID()}`;
    const gone = await trigger('queue', ref, { simulate: 'stuck' });
    await running(gone);
    const { events } = await world.build(gone);
    await world.client.workflow.getHandle(String(events[0]!.event_data!.workflow_id)).terminate('by hand');
    const next = await trigger('queue', ref);
    expect(await world.build(next)).toMatchObject({ status: 'queued', waits_for: [gone] });

    expect((await cancel(gone)).status).toBe(202);
    const ended = await world.build(gone);
    expect(ended).toMatchObject({ status: 'cancelled', conclusion: 'cancelled' });
    expect(ended.events.at(-1)?.event_data?.detail).toContain('no workflow leads it');
    expect((await cancel(gone)).status).toBe(409);
    expect((await world.ended(next)).status).toBe('success');
    expect((await world.call('GET', `/builds/${gone}/verify`)).json.valid).toBe(true);
    expect((await world.call('GET', `/builds/${next}/verify`)).json.valid).toBe(true);
  });
});

function begin({ history }: OracleRun): number {
  return Date.parse(history[0]!.at);
}

function end({ history }: OracleRun): number {
  return Date.parse(history.findLast((moment) => moment.status === 'completed')!.at);
}
