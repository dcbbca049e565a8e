import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { readSettings } from '../../src/contracts/settings.ts';
import { startAnotherApi } from '../world/another-api.ts';
import { openWorld, type World } from '../world/world.ts';

describe('REPOSITORIES_ALLOWED', () => {
  let world: World;
  /** Ids of configurations that were saved before anything was forbidden. */
  const earlier = {} as Record<'octo/one' | 'rival/images', number>;
  beforeAll(async () => {
    world = await openWorld('server');
    for (const repository of ['octo/one', 'rival/images'] as const) {
      const { status, json } = await world.call('POST', '/configs', configuration(repository));
      expect([status, json.detail]).toEqual([201, undefined]);
      earlier[repository] = json.id;
    }
  });
  afterAll(() => world.close());

  const configuration = (repository: string) => ({
    ...{ name: repository.replace('/', '-'), repository, workflow: 'build.yml' },
    ...{ default_ref: 'main', mapping: {}, inputs: {} },
  });
  const restricted = (allowed: string) => startAnotherApi(world, { settings: { REPOSITORIES_ALLOWED: allowed } });

  it('lets no configuration name another repository: not a new one, not a changed one, by no route', async () => {
    const api = await restricted('octo/*,acme/tools');
    const fault = { path: 'body.repository', message: 'is not one of REPOSITORIES_ALLOWED' };
    for (const repository of ['rival/images', 'octopus/one', 'acme/tools2', 'acme/images2']) {
      for (const [method, path] of [
        ['POST', '/configs'],
        ['PUT', '/configs/by-name/new'],
        ['PUT', `/configs/${earlier['octo/one']}`],
      ] as const) {
        const { name: _, ...content } = configuration(repository);
        const body = path.includes('by-name') ? content : configuration(repository);
        const { status, json } = await api.call(method, path, body);
        expect([status, json.errors], `${method} ${path} ${repository}`).toEqual([400, [fault]]);
      }
    }
    for (const repository of ['octo/two', 'acme/tools']) {
      expect((await api.call('POST', '/configs', configuration(repository))).status).toBe(201);
    }
  });

  it('refuses builds of a configuration from earlier, and starts nothing', async () => {
    const api = await restricted('octo/*');
    const { db } = world;
    const before = await db`SELECT count(*) FROM events`;
    const refused = await api.trigger({ config_id: earlier['rival/images'], ref: 'main' });
    expect([refused.status, refused.json.code]).toEqual([422, 'repository_not_allowed']);
    expect(refused.json.detail).toBe('rival/images is not one of REPOSITORIES_ALLOWED');
    expect(await db`SELECT count(*) FROM events`).toEqual(before);
    expect(await world.github.runs()).toEqual([]);
  });

  it('lets a client retry with its Idempotency-Key what was allowed then', async () => {
    const request = { config_id: earlier['octo/one'], ref: 'retried' };
    const first = await world.trigger(request, 'allowed-then');
    expect(first.status).toBe(202);
    const again = await (await restricted('acme/*')).trigger(request, 'allowed-then');
    expect([again.status, again.json.id]).toEqual([202, first.json.id]);
  });

  it('always allows the repository of GITHUB_REPO', async () => {
    const api = await restricted('octo/*');
    const { status, json } = await api.trigger({ ref: 'own' });
    expect(status).toBe(202);
    expect(await world.ended(json.id)).toMatchObject({ repository: 'acme/images', status: 'success' });
  });

  it('must name owners and repositories', () => {
    for (const wrong of ['octo', '*/*', 'octo/', 'octo/a b', '*']) {
      expect(() => readSettings({ REPOSITORIES_ALLOWED: wrong }), wrong).toThrow(/REPOSITORIES_ALLOWED/);
    }
    expect(readSettings({ REPOSITORIES_ALLOWED: 'octo/*, acme/images' }).REPOSITORIES_ALLOWED).toEqual([
      ...['octo/*', 'acme/images'],
    ]);
  });
});
