import { expect, it, onTestFinished } from 'vitest';
import { callers, openWorld } from '../world/world.ts';

const bearer = (key: string) => ({ authorization: `Bearer ${key}` });

it('the first key closes an API that was open to this machine, with its streams, and the last opens it again', async () => {
  const world = await openWorld('server');
  onTestFinished(() => world.close());
  const { call } = callers(world.url);
  const refused = await call('POST', '/keys', { name: 'first', rights: ['read'] });
  expect([refused.status, refused.json.code]).toEqual([409, 'state_conflict']);
  const stream = await fetch(`${world.url}/events`, { headers: { accept: 'text/event-stream' } });
  expect(stream.status).toBe(200);
  const { json: first } = await call('POST', '/keys', { name: 'first', rights: ['admin'] });
  expect(first.created_by).toBe('local');
  for await (const _ of stream.body!);
  expect((await call('GET', '/builds')).status).toBe(401);
  const as = (method: string, path: string, body?: unknown) => call(method, path, body, bearer(first.key));
  const { json: second } = await as('POST', '/keys', { name: 'second', rights: ['read'] });
  const expires_at = new Date(Date.now() + 3_600_000).toISOString();
  const { json: visitor } = await as('POST', '/keys', { name: 'visitor', rights: ['admin'], expires_at });
  expect((await as('DELETE', `/keys/${first.id}`)).json.code).toBe('state_conflict');
  expect((await as('DELETE', `/keys/${visitor.id}`)).status).toBe(204);
  expect((await as('DELETE', `/keys/${first.id}`)).json.code).toBe('state_conflict');
  expect((await as('DELETE', `/keys/${second.id}`)).status).toBe(204);
  expect((await as('DELETE', `/keys/${first.id}`)).status).toBe(204);
  expect((await call('GET', '/builds')).status).toBe(200);
});
