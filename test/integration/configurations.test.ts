import postgres from 'postgres';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Configurations } from '../../src/commands/configurations/configurations.ts';
import { configurationView } from '../../src/contracts/builds/configuration.ts';
import { problem } from '../../src/contracts/problem.ts';
import { environmentConfiguration } from '../../src/domain/builds/configuration.ts';
import { saveConfiguration } from '../../src/store/builds/configuration-save.ts';
import { databaseFault, openDatabase } from '../../src/store/database.ts';
import { DATABASES, openTestDatabase, openWorld, type World } from '../world/world.ts';

const content = { repository: 'acme/images', workflow: 'build.yml' };

describe.each(DATABASES)('build configurations on the %s Postgres', (kind) => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld(kind);
  });
  afterAll(() => world.close());

  const upsert = (name: string, change: object = {}, headers: Record<string, string> = {}) =>
    world.call('PUT', `/configs/by-name/${name}`, { ...content, ...change }, headers);
  const versionsOf = async (id: number) => (await world.call('GET', `/configs/${id}/versions`)).json.versions;

  it('turn the fields of a request into the inputs of a workflow', async () => {
    const made = await world.call('POST', '/configs', {
      ...content,
      name: 'fedora',
      default_ref: 'stable',
      inputs: { push: true },
      constants: { registry: 'example.org' },
      mapping: { fedora_version: 'distro_version', image_type: null },
      templates: { image: 'fedora-{{fedora_version}}-{{image_type}}' },
    });
    expect(made.status).toBe(201);
    expect(configurationView.parse(made.json)).toMatchObject({ version: 1, retired: false, changed_by: 'local' });
    expect(made.json.id).toBeGreaterThan(1);
    expect(made.headers.get('location')).toBe(`/configs/${made.json.id}`);
    expect(made.headers.get('etag')).toBe('"1"');
    expect((await world.call('GET', `/configs/${made.json.id}`)).json).toEqual(made.json);

    const { json } = await world.trigger({ config: 'fedora', image_type: 'sway', fedora_version: '43' });
    const build = await world.ended(json.id);
    expect(build).toMatchObject({ status: 'success', config_id: made.json.id, config_version: 1, ref: 'stable' });
    const run = (await world.github.runs()).find(({ id }) => id === build.workflow_run_id);
    expect(run?.inputs).toMatchObject({
      push: 'true',
      registry: 'example.org',
      distro_version: '43',
      image: 'fedora-43-sway',
    });
    expect(Object.keys(run?.inputs ?? {})).not.toContain('image_type');
    const byId = await world.trigger({ config_id: made.json.id, image_type: 'sway', fedora_version: '43' });
    expect(byId.json).toMatchObject({ id: build.id, message: 'Build already exists' });
  });

  it('give a new version to every change, and builds keep the version and inputs they began with', async () => {
    const { json: first } = await upsert('kept', { constants: { channel: 'old' } });
    const before = await world.trigger({ config: 'kept' }, 'kept-1');
    const { json: second, status } = await upsert('kept', { constants: { channel: 'new' } });
    expect([status, second.id, second.version]).toEqual([200, first.id, 2]);
    const after = await world.trigger({ config: 'kept' });
    expect(await world.ended(before.json.id)).toMatchObject({ config_version: 1, inputs: { channel: 'old' } });
    expect(await world.ended(after.json.id)).toMatchObject({ config_version: 2, inputs: { channel: 'new' } });
    expect(await versionsOf(first.id)).toEqual([second, first]);
  });

  it('let a client retry with its Idempotency-Key after a change and a retirement', async () => {
    const { json: config } = await upsert('retry', { constants: { channel: 'old' } });
    const first = await world.trigger({ config: 'retry' }, 'retry-1');
    await upsert('retry', { constants: { channel: 'new' } });
    expect((await world.trigger({ config: 'retry' }, 'retry-1')).json.id).toBe(first.json.id);
    await world.call('DELETE', `/configs/${config.id}`);
    expect((await world.trigger({ config: 'retry' }, 'retry-1')).json.id).toBe(first.json.id);
    const misused = await world.trigger({ config: 'retry', ref: 'other' }, 'retry-1');
    expect([misused.status, misused.json.code]).toEqual([422, 'idempotency_key_reused']);
  });

  it('let a client retry with its Idempotency-Key after a new name, also where another took the old one', async () => {
    const { json: config } = await upsert('before');
    const named = () => world.trigger({ config: 'before' }, 'renamed-1');
    const { id } = (await named()).json;
    await world.call('PUT', `/configs/${config.id}`, { ...content, name: 'after' });
    expect((await named()).json).toMatchObject({ id, message: 'Build already exists' });
    await upsert('before', { default_ref: 'another' });
    expect((await named()).json).toMatchObject({ id, message: 'Build already exists' });
    expect((await world.trigger({ config: 'after' }, 'renamed-1')).json.id).toBe(id);
    expect((await world.trigger({ config_id: config.id }, 'renamed-1')).json.id).toBe(id);
    // Without the key, the name means what has it now.
    expect(await world.build((await world.trigger({ config: 'before' })).json.id)).toMatchObject({ ref: 'another' });
  });

  it('are one with gapless versions for 20 upserts at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, (_, n) =>
        upsert('crowd', { constants: { n } }).then(({ status, json }) => ({ status, json })),
      ),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([...Array(19).fill(200), 201]);
    expect(new Set(answers.map(({ json }) => json.id)).size).toBe(1);
    const versions = await versionsOf(answers[0]?.json.id);
    expect(versions.map(({ version }: { version: number }) => version)).toEqual(
      Array.from({ length: 20 }, (_, n) => 20 - n),
    );
    expect(new Set(versions.map((each: { constants: { n: string } }) => each.constants.n)).size).toBe(20);
    const equal = await Promise.all(Array.from({ length: 5 }, () => upsert('equal')));
    expect(new Set(equal.map(({ json }) => `${json.id} ${json.version}`)).size).toBe(1);
  });

  it('are one for 20 creations of one name at once', async () => {
    const answers = await Promise.all(
      Array.from({ length: 20 }, () => world.call('POST', '/configs', { ...content, name: 'contested' })),
    );
    expect(answers.map(({ status }) => status).toSorted()).toEqual([201, ...Array(19).fill(409)]);
    expect((await world.call('GET', '/configs?name=contested')).json.configs).toHaveLength(1);
  });

  it('change only as the client knows them, with If-Match', async () => {
    const { json: config } = await upsert('guarded');
    const put = (change: object, etag: string) =>
      world.call('PUT', `/configs/${config.id}`, { ...content, name: 'guarded', ...change }, { 'if-match': etag });
    const answers = await Promise.all(['a', 'b', 'c', 'd'].map((ref) => put({ default_ref: ref }, '"1"')));
    expect(answers.map(({ status }) => status).toSorted()).toEqual([200, 412, 412, 412]);
    const stale = await world.call('DELETE', `/configs/${config.id}`, undefined, { 'if-match': '"1"' });
    expect([stale.status, stale.json.code]).toEqual([412, 'precondition_failed']);
    expect((await put({}, 'W/"2"')).status).toBe(412);
    expect((await put({}, '2')).status).toBe(400);
    expect((await upsert('guarded-new', {}, { 'if-match': '*' })).status).toBe(412);
    expect((await world.call('GET', '/configs?name=guarded-new')).json.configs).toEqual([]);
    expect(await versionsOf(config.id)).toHaveLength(2);
    expect((await put({}, '"1", "2"')).headers.get('etag')).toBe('"3"');
    expect((await put({ default_ref: 'e' }, '*')).status).toBe(200);
  });

  it('retire: no trigger, all history, and a PUT brings them back', async () => {
    const { json: config } = await upsert('gone');
    const { json } = await world.trigger({ config: 'gone', ref: 'before' });
    const retired = await world.call('DELETE', `/configs/${config.id}`);
    expect([retired.status, retired.json.retired, retired.json.version]).toEqual([200, true, 2]);
    expect((await world.call('DELETE', `/configs/${config.id}`)).json).toEqual(retired.json);
    for (const by of [{ config: 'gone' }, { config_id: config.id }]) {
      const refused = await world.trigger(by);
      expect([refused.status, refused.json.code]).toEqual([422, 'configuration_retired']);
    }
    expect(await world.ended(json.id)).toMatchObject({ config_id: config.id, config_version: 1, status: 'success' });
    const taken = await world.call('POST', '/configs', { ...content, name: 'gone' });
    expect([taken.status, taken.json.code]).toEqual([409, 'configuration_name_taken']);
    expect((await upsert('gone')).json).toMatchObject({ id: config.id, version: 3, retired: false });
    expect((await world.trigger({ config: 'gone', ref: 'after' })).status).toBe(202);
  });

  it('are renamed, and names stay unique', async () => {
    const { json: one } = await upsert('one');
    await upsert('two');
    const rename = (name: string) => world.call('PUT', `/configs/${one.id}`, { ...content, name });
    expect((await rename('two')).json.code).toBe('configuration_name_taken');
    expect((await rename('uno')).json).toMatchObject({ name: 'uno', version: 2 });
    expect((await world.trigger({ config: 'one' })).json.code).toBe('unknown_configuration');
    const { json: next } = await upsert('one');
    expect(next).toMatchObject({ version: 1 });
    expect(next.id).not.toBe(one.id);
  });

  it('end a run after a deadline of their own, a retried one too', async () => {
    await upsert('hasty', { deadline: '1s' });
    await world.github.set({ running_for_ms: 60_000 });
    const { json } = await world.trigger({ config: 'hasty' });
    expect(await world.ended(json.id)).toMatchObject({ status: 'failure', conclusion: 'timed_out' });
    expect((await world.call('POST', `/builds/${json.id}/retry`, { mode: 'redispatch' })).status).toBe(202);
    const again = await world.ended(json.id);
    await world.github.set({ running_for_ms: 60 });
    expect(again).toMatchObject({ retries: 1, conclusion: 'timed_out' });
  });

  it('are listed page by page, number 1 among them', async () => {
    const seen = [];
    let cursor = '';
    do {
      const { json } = await world.call('GET', `/configs?limit=3${cursor && `&cursor=${cursor}`}`);
      expect(json.configs.length).toBeLessThanOrEqual(3);
      seen.push(...json.configs);
      cursor = json.next_cursor ?? '';
    } while (cursor !== '');
    expect(seen[0]).toMatchObject({ id: 1, name: 'default', changed_by: 'environment', version: 1 });
    const ids = seen.map(({ id }) => id);
    expect(ids).toEqual([...new Set(ids)].toSorted((a, b) => a - b));
    expect(seen.length).toBeGreaterThan(6);
  });

  it('leave number 1 to the environment', async () => {
    const body = { ...content, name: 'mine' };
    for (const [method, path, sent] of [
      ['PUT', '/configs/1', body],
      ['DELETE', '/configs/1', undefined],
      ['PUT', '/configs/by-name/default', content],
      ['POST', '/configs', { ...body, name: 'default' }],
    ] as const) {
      const { status, json } = await world.call(method, path, sent);
      expect([status, json.code, method]).toEqual([409, 'configuration_of_environment', method]);
      expect(json.detail).toContain('GITHUB_REPO');
    }
    const named = await world.trigger({ config: 'default', ref: 'named' });
    expect(await world.build(named.json.id)).toMatchObject({ config_id: 1, config_version: 1 });
  });

  it('refuse bad input with a problem document and save nothing', async () => {
    const all = async () => (await world.call('GET', '/configs?limit=200')).text;
    const before = await all();
    const newestBuild = async () => (await world.call('GET', '/builds?limit=1')).json.builds[0].id;
    const newest = await newestBuild();
    const { id } = (await world.call('GET', '/configs?name=kept')).json.configs[0];
    for (const [method, path, body, status, code] of [
      ['POST', '/configs', { ...content }, 400, 'invalid_request'],
      ['POST', '/configs', { ...content, name: 'a/b' }, 400, 'invalid_request'],
      ['POST', '/configs', { ...content, name: 'x', nope: 1 }, 400, 'invalid_request'],
      ['POST', '/configs', { ...content, name: 'x', templates: { a: '{{nope}}' } }, 400, 'invalid_request'],
      ['POST', '/configs', { ...content, name: 'x', inputs: { hapax_id: 'x' } }, 400, 'invalid_request'],
      ['POST', '/configs', { ...content, name: 'x', deadline: 'never' }, 400, 'invalid_request'],
      ['POST', '/configs', '{"name":"x","mapping":{"__proto__":null}}', 400, 'invalid_request'],
      ['POST', '/configs', { ...content, name: 'x', constants: { a: '\u0000' } }, 400, 'invalid_request'],
      ['PUT', `/configs/${id}`, { ...content }, 400, 'invalid_request'],
      ['PUT', `/configs/${id}`, [], 400, 'invalid_request'],
      ['PUT', '/configs/99999', { ...content, name: 'x' }, 404, 'not_found'],
      ['PUT', '/configs/by-name/x', { ...content, name: 'x' }, 400, 'invalid_request'],
      ['PUT', '/configs/by-name/x%2Fy', content, 400, 'invalid_request'],
      ['DELETE', '/configs/99999', undefined, 404, 'not_found'],
      ['GET', '/configs/99999', undefined, 404, 'not_found'],
      ['GET', '/configs/99999/versions', undefined, 404, 'not_found'],
      ['GET', '/configs/0', undefined, 400, 'invalid_request'],
      ['GET', '/configs/9999999999', undefined, 400, 'invalid_request'],
      ['GET', '/configs?cursor=x', undefined, 400, 'invalid_request'],
      ['GET', '/configs?limit=0', undefined, 400, 'invalid_request'],
      ['POST', '/builds/trigger', { config: 'nobody' }, 422, 'unknown_configuration'],
      ['POST', '/builds/trigger', { config: 'kept', config_id: 1 }, 400, 'invalid_request'],
      ['POST', '/builds/trigger', { config: 'fedora', image_type: 'sway' }, 422, 'missing_field'],
      ['POST', '/builds/trigger', { config: 'kept', inputs: { channel: 'x' } }, 422, 'unprocessable_inputs'],
    ] as const) {
      const answer = await world.call(method, path, body);
      expect([method, path, answer.status, answer.json?.code]).toEqual([method, path, status, code]);
      expect(problem.parse(answer.json).request_id).toBe(answer.headers.get('x-request-id'));
    }
    expect(await all()).toBe(before);
    expect(await newestBuild()).toBe(newest);
  });

  it('are append-only: the database itself refuses to change or remove a version', async () => {
    const owner = postgres(world.databaseUrl, { max: 1 });
    if (kind === 'embedded') await owner.unsafe('RESET ROLE');
    for (const statement of [
      "UPDATE configurations SET name = 'x'",
      'DELETE FROM configurations',
      'TRUNCATE configurations',
    ]) {
      await expect(owner.unsafe(statement)).rejects.toThrow(/append-only/);
    }
    if (kind === 'embedded') await owner.unsafe('SET ROLE hapax_runtime');
    await owner.end();
  });
});

describe('a definition recorded before it could have constants, templates, a deadline, concurrency and a callback', () => {
  it('is read as one without them, and is no change', async () => {
    const { db, close } = await openTestDatabase('server');
    const full = environmentConfiguration('acme/images', 'build.yml');
    const { repository, workflow, default_ref, inputs, mapping } = full;
    const old = { repository, workflow, default_ref, inputs, mapping };
    const row = { id: 1, version: 1, name: 'default', definition: JSON.stringify(old), retired: false };
    await db`INSERT INTO configurations ${db({ ...row, changed_by: 'environment', created_at: new Date().toISOString() })}`;
    expect(await new Configurations(db, full).environment()).toMatchObject({ version: 1, definition: full });
    await close();
  });
});

describe('while the database is away', () => {
  it('configuration 1 is still there, and a change fails as an outage', async () => {
    const { url, close } = await openTestDatabase('embedded');
    const database = openDatabase({ url });
    const configurations = new Configurations(database.db, environmentConfiguration('acme/images', 'build.yml'));
    await configurations.environment();
    await close();
    expect(await configurations.get(1)).toMatchObject({ id: 1, version: 1 });
    expect(await configurations.byName('default')).toMatchObject({ id: 1, version: 1 });
    const failed = await saveConfiguration(database.db, { name: 'x' }, { retired: true, changed_by: 'test' }).catch(
      databaseFault,
    );
    expect(failed).toMatchObject({ kind: 'away' });
    expect(await configurations.get(2).catch(databaseFault)).toMatchObject({ kind: 'away' });
    await database.close();
  });
});
