import { describe, expect, inject, it } from 'vitest';
import { eventually } from '../world/eventually.ts';
import { openCloud as openCloudWith } from './cloud.ts';

const openCloud = () => openCloudWith(inject('temporalCli'));

describe('an outage', () => {
  it('of everything at the start: health says so, triggers are refused for now, and all recovers by itself', async () => {
    const cloud = await openCloud();
    await Promise.all([cloud.postgres.stop(), cloud.github.stop()]);
    cloud.startRoles();
    await eventually(async () =>
      expect(await cloud.health()).toEqual({
        postgres: 'degraded',
        temporal: 'degraded',
        workers: 'degraded',
        github: 'degraded',
      }),
    );
    expect((await cloud.call('GET', '/health/live')).status).toBe(200);
    expect((await cloud.call('GET', '/health/ready')).status).toBe(503);
    const refused = await cloud.trigger('early');
    expect([refused.status, refused.json.code, refused.headers.get('retry-after')]).toEqual([
      503,
      'database_unavailable',
      '5',
    ]);
    expect((await cloud.call('GET', '/builds')).status).toBe(401);
    expect((await cloud.asked('GET', '/builds')).json.code).toBe('database_unavailable');

    await Promise.all([cloud.postgres.start(), cloud.temporal.start(), cloud.github.start()]);
    await eventually(async () =>
      expect(await cloud.health()).toEqual({ postgres: 'ok', temporal: 'ok', workers: 'ok', github: 'ok' }),
    );
    const { json } = await cloud.trigger('early');
    expect(json).toMatchObject({ message: 'Build queued successfully' });
    await cloud.succeeds(json.id);
  }, 180_000);

  it('of one after the other: nothing accepted is lost, nothing runs twice', async () => {
    const cloud = await openCloud();
    await cloud.temporal.start();
    cloud.startRoles();
    await eventually(async () =>
      expect(await cloud.health()).toMatchObject({ postgres: 'ok', temporal: 'ok', workers: 'ok', github: 'ok' }),
    );
    const accepted: number[] = [];

    await cloud.postgres.stop('SIGQUIT');
    const withoutRecord = await cloud.trigger('no-postgres');
    expect(withoutRecord.json).toMatchObject({ message: 'Build queued successfully' });
    expect((await cloud.trigger('no-postgres')).json).toMatchObject({
      id: withoutRecord.json.id,
      message: 'Build already exists',
    });
    accepted.push(withoutRecord.json.id);
    await eventually(async () => expect((await cloud.health()).postgres).toBe('degraded'));
    await cloud.postgres.start();
    await cloud.succeeds(withoutRecord.json.id);

    await cloud.github.stop();
    const withoutGitHub = await cloud.trigger('no-github');
    expect(withoutGitHub.status).toBe(202);
    accepted.push(withoutGitHub.json.id);
    await eventually(async () => {
      const { json } = await cloud.asked('GET', `/builds/${withoutGitHub.json.id}`);
      expect(json.events.at(-1).event_data.reason).toMatch(/GitHub cannot be reached/);
    });
    await cloud.github.start();
    await cloud.succeeds(withoutGitHub.json.id);

    await cloud.temporal.stop();
    const refused = await cloud.trigger('no-temporal');
    expect([refused.status, refused.json.code, refused.headers.get('retry-after')]).toEqual([
      503,
      'temporal_unavailable',
      '5',
    ]);
    await eventually(async () => expect((await cloud.health()).temporal).toBe('degraded'));
    expect((await cloud.asked('GET', `/builds/${accepted[0]}`)).json).toMatchObject({ status: 'success' });
    await cloud.temporal.start();
    const later = await eventually(async () => {
      const answer = await cloud.trigger('no-temporal');
      expect(answer.status).toBe(202);
      return answer;
    });
    accepted.push(later.json.id);
    await cloud.succeeds(later.json.id);

    const { runs, runs_per_token } = await eventually(() => cloud.github.oracle());
    expect([runs, ...Object.values(runs_per_token)]).toEqual([3, 1, 1, 1]);
    expect(new Set(accepted).size).toBe(3);
  }, 240_000);
});
