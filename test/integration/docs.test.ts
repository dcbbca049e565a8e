import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import committed from '../../docs/openapi.json' with { type: 'json' };
import { startAnotherApi } from '../world/another-api.ts';
import { openWorld, type World } from '../world/world.ts';

describe('the pages about the API', () => {
  let world: World;
  beforeAll(async () => {
    world = await openWorld('server');
  });
  afterAll(() => world.close());

  it('serve the description that is committed', async () => {
    expect((await world.call('GET', '/openapi.json')).json).toEqual(committed);
  });

  it('describe what Hapax sends to callback URLs', () => {
    const bodies = Object.values(committed.webhooks).map(
      ({ post }) => post.requestBody.content['application/json'].schema.$ref,
    );
    expect(bodies).toEqual(['#/components/schemas/BuildCallback', '#/components/schemas/TaskCallback']);
    expect(committed.components.schemas.EndedBuild.properties).toHaveProperty('commit');
  });

  it('load nothing from elsewhere, so that they work offline', async () => {
    const page = await world.call('GET', '/docs');
    expect([page.status, page.headers.get('content-type')]).toEqual([200, 'text/html; charset=UTF-8']);
    expect(page.headers.get('content-security-policy')).toContain("default-src 'self'");
    const files = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] as string);
    expect(files.length).toBeGreaterThan(2);
    for (const file of files) {
      expect(file).toMatch(/^\/docs\//);
      expect((await world.call('GET', file)).status).toBe(200);
    }
  });

  it('are found from the root, by people and by programs, and with a slash at the end', async () => {
    const browser = { accept: 'text/html,application/xhtml+xml,*/*;q=0.8' };
    const led = await fetch(world.url, { headers: browser, redirect: 'manual' });
    expect([led.status, led.headers.get('location')]).toEqual([302, '/console']);
    const told = await world.call('GET', '/');
    expect([told.status, told.json.name]).toEqual([200, 'hapax']);
    for (const path of [told.json.docs, told.json.openapi, told.json.health, `${told.json.docs}/`]) {
      const { status, text } = await world.call('GET', path);
      expect([path, status]).toEqual([path, 200]);
      expect(text).not.toBe('');
    }
    expect((await world.call('GET', '/docs/')).text).toBe((await world.call('GET', '/docs')).text);
  });

  it('open without a key where the API asks for one, and say how to send it', async () => {
    const locked = await startAnotherApi(world, { settings: { API_KEYS: 'ci=0123456789abcdef' } });
    const page = await locked.call('GET', '/docs');
    const files = [...page.text.matchAll(/(?:src|href)="([^"]+)"/g)].map((match) => match[1] as string);
    for (const path of ['/', '/docs', '/docs/', '/openapi.json', ...files]) {
      expect([path, (await locked.call('GET', path)).status]).toEqual([path, 200]);
    }
    const { components, security } = (await locked.call('GET', '/openapi.json')).json;
    expect(components.securitySchemes.key).toMatchObject({ type: 'http', scheme: 'bearer' });
    expect(security).toContainEqual({ key: [] });
    expect((await locked.call('GET', '/builds')).status).toBe(401);
    const key = { authorization: 'Bearer 0123456789abcdef' };
    expect((await locked.call('GET', '/builds', undefined, key)).status).toBe(200);
  });

  it('describe every path that is served to operators and clients', () => {
    expect(Object.keys(committed.paths)).toEqual(
      expect.arrayContaining([
        '/builds/trigger',
        '/builds',
        '/builds/{id}',
        '/builds/{id}/events',
        '/health',
        '/health/live',
        '/health/ready',
      ]),
    );
  });
});
