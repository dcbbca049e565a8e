import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { quotaDay, quotaReset } from '../../src/domain/content/quota-day.ts';
import { postgresContent } from '../../src/store/content/postgres-content.ts';
import { reserveQuota } from '../../src/store/content/quota-reserve.ts';
import { saveText } from '../world/content-world.ts';
import { startOllamaStandIn } from '../world/ollama-stand-in.ts';
import { openWorld, type World } from '../world/world.ts';

describe('content over HTTP', () => {
  let world: World;
  let ollama: Awaited<ReturnType<typeof startOllamaStandIn>>;
  beforeAll(async () => {
    ollama = await startOllamaStandIn();
    const quota = { YOUTUBE_DAILY_QUOTA: '200', YOUTUBE_PRIORITY_RESERVED: '50' };
    world = await openWorld('server', { OLLAMA_URL: ollama.url, ...quota });
    for (let index = 0; index < 5; index++) {
      await saveText(
        postgresContent(world.db),
        `web:${index}`,
        `Number ${index} about otters.`,
        `Otter ${index}`,
        index < 2 ? ['few'] : [],
      );
    }
  });
  afterAll(async () => {
    await world.close();
    await ollama.close();
  });

  const search = (body: unknown) => world.call('POST', '/api/v1/search', body);

  it('is searched at once, and the answer says how', async () => {
    const { status, json } = await search({ query: 'otters', limit: 3 });
    expect(status).toBe(200);
    expect(json).toMatchObject({ query: 'otters', method: 'lexical', model: null });
    expect(json.note).toContain('pgvector');
    expect(json.results).toHaveLength(3);
    expect(json.results[0]).toMatchObject({ type: 'web', tags: expect.any(Array), score: expect.any(Number) });
    expect((await search({ query: 'otters', tags: ['few'] })).json.results).toHaveLength(2);
    expect((await search({ query: 'otters', type: 'youtube' })).json.results).toEqual([]);
  });

  it.each([
    [{}, 'body.query'],
    [{ query: '' }, 'body.query'],
    [{ query: 'x', limit: 0 }, 'body.limit'],
    [{ query: 'x', limit: 101 }, 'body.limit'],
    [{ query: 'x', type: 'book' }, 'body.type'],
    [{ query: 'x', tags: [''] }, 'body.tags.0'],
    [{ query: 'a\u0000b' }, 'body.query'],
    [{ query: 'x', other: 1 }, 'body'],
  ])('refuses a search of %j', async (body, path) => {
    const { status, json } = await search(body);
    expect([status, json.errors[0].path]).toEqual([400, path]);
  });

  it('is listed and read', async () => {
    const first = (await world.call('GET', '/api/v1/content?limit=2')).json;
    expect(first.contents.map((one: { content_id: string }) => one.content_id)).toEqual(['web:4', 'web:3']);
    const next = (await world.call('GET', `/api/v1/content?limit=10&cursor=${first.next_cursor}`)).json;
    expect([next.contents.length, next.next_cursor]).toEqual([3, null]);
    expect((await world.call('GET', '/api/v1/content?tag=few')).json.contents).toHaveLength(2);
    expect((await world.call('GET', '/api/v1/content?cursor=x')).status).toBe(400);

    const one = (await world.call('GET', '/api/v1/content/web:1?chunks=true')).json;
    expect(one).toMatchObject({
      content_id: 'web:1',
      chunks: 1,
      embedded: [],
      chunk_texts: ['Number 1 about otters.'],
    });
    expect((await world.call('GET', '/api/v1/content/web:1')).json).not.toHaveProperty('chunk_texts');
    expect((await world.call('GET', '/api/v1/content/web:none')).json).toMatchObject({
      status: 404,
      code: 'not_found',
    });
  });

  it('shows what is left of the quota of YouTube', async () => {
    const at = Date.now();
    const quota = async () => (await world.call('GET', '/api/v1/quota/youtube')).json;
    expect(await quota()).toEqual({
      date: quotaDay(at),
      units_used: 0,
      units_remaining: 200,
      priority_reserved: 50,
      percentage_used: 0,
      resets_at: new Date(quotaReset(at)).toISOString(),
    });
    await reserveQuota(world.db, { key: 'k', holder: 'h', units: 3, ceiling: 200, at });
    expect(await quota()).toMatchObject({ units_used: 3, units_remaining: 197, percentage_used: 1.5 });
    expect((await world.call('GET', '/metrics')).text).toContain('hapax_youtube_quota_used_units 3');
  });
});
