import { describe, expect, inject, it, onTestFinished } from 'vitest';
import { eventually } from '../world/eventually.ts';
import { startYouTubeStandIn } from '../world/youtube-stand-in.ts';
import { openCloud as openCloudWith } from './cloud.ts';
import { directory } from './program.ts';

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
  });

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
  });

  it('of Postgres or Temporal while tasks are asked for: each that is accepted is done once, others are refused for now', async () => {
    const youtube = await startYouTubeStandIn();
    onTestFinished(() => youtube.close());
    const cloud = await openCloudWith(inject('temporalCli'), {
      HAPAX_HOME: await directory(),
      YOUTUBE_API_KEY: 'the-key',
      YOUTUBE_API_URL: youtube.url,
      YOUTUBE_URL: youtube.url,
    });
    await cloud.temporal.start();
    cloud.startRoles();
    await eventually(async () =>
      expect(await cloud.health()).toMatchObject({ postgres: 'ok', temporal: 'ok', workers: 'ok' }),
    );
    /** A video for a task of its own. */
    const video = (name: string) => {
      const id = name.padEnd(11, '0');
      youtube.videos.set(id, { captions: ['Hello.'] });
      return id;
    };
    const ask = (name: string, options: object = {}) =>
      cloud.asked('POST', '/tasks', { name: 'ingest_youtube', args: [video(name)], task_id: name, ...options });
    const task = async (id: string) => cloud.asked('GET', `/tasks/${id}`);
    const succeeds = (id: string) =>
      eventually(async () => expect((await task(id)).json).toMatchObject({ status: 'SUCCESS', retries: 0 }));

    await cloud.postgres.stop('SIGQUIT');
    expect((await ask('no-record')).json).toEqual({ task_id: 'no-record', status: 'queued' });
    const again = await ask('no-record');
    expect([again.status, again.headers.get('idempotent-replayed')]).toEqual([202, 'true']);
    expect((await ask('no-record', { args: [video('another')] })).json.code).toBe('task_id_reused');
    const byVideo = () => cloud.asked('POST', `/youtube/ingest-async?url=https://youtu.be/${video('unnamed')}`);
    const unnamed = await byVideo();
    expect([unnamed.status, (await byVideo()).json.task_id]).toEqual([202, unnamed.json.task_id]);
    const unread = await task('no-record');
    expect([unread.status, unread.json.code]).toEqual([503, 'database_unavailable']);
    await cloud.postgres.start();
    for (const id of ['no-record', unnamed.json.task_id]) await succeeds(id);

    // What waits for its time meanwhile is not forgotten.
    const eta = new Date(Date.now() + 8_000).toISOString();
    expect((await ask('waits', { eta })).status).toBe(202);
    await cloud.temporal.stop();
    const refused = await ask('no-engine');
    expect([refused.status, refused.json.code, refused.headers.get('retry-after')]).toEqual([
      503,
      'temporal_unavailable',
      '5',
    ]);
    expect((await task('no-engine')).status).toBe(404);
    expect((await task('no-record')).json).toMatchObject({ status: 'SUCCESS' });
    await cloud.temporal.start();
    await eventually(async () => expect((await ask('no-engine')).status).toBe(202));
    for (const id of ['waits', 'no-engine']) await succeeds(id);

    expect(youtube.apiCalls.toSorted()).toEqual(['no-record', 'no-engine', 'unnamed', 'waits'].map(video).toSorted());
    const listed: Array<{ task_id: string }> = (await cloud.asked('GET', '/tasks')).json.tasks;
    expect(listed.map(({ task_id }) => task_id).toSorted()).toEqual(
      ['no-record', 'no-engine', unnamed.json.task_id, 'waits'].toSorted(),
    );
  });
});
