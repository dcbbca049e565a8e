import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import committed from '../../docs/openapi.json' with { type: 'json' };
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
