import { createRoute } from '@hono/zod-openapi';
import { createKey } from '../../commands/keys/create-key.ts';
import type { Gate } from '../../commands/keys/gate.ts';
import { revokeKey } from '../../commands/keys/revoke-key.ts';
import { notFound } from '../../commands/refusal.ts';
import { keyBody, keyIdParam, keyListQuery, keyPage, keyView, newKeyView } from '../../contracts/keys/key.ts';
import { keyViewOf } from '../../domain/keys/key-view.ts';
import type { Db } from '../../store/database.ts';
import { findKey, listKeys } from '../../store/keys/key-list.ts';
import type { Api } from '../environment.ts';
import { refuseCrossSite } from '../guard.ts';
import { BODY_PROBLEMS, jsonBody, jsonResponse, locationHeader, problems } from '../responses.ts';
import { needs } from '../rights.ts';

const tags = ['keys'];

const createKeyRoute = createRoute({
  method: 'post',
  path: '/keys',
  operationId: 'createKey',
  ...needs('admin'),
  tags,
  summary: 'Create a key',
  description:
    'The response shows the key, once. Only its hash is kept. If this is the first key and there are no `API_KEYS`, nobody gets in without a key from then on.',
  request: { body: jsonBody(keyBody) },
  responses: {
    201: jsonResponse('The key', newKeyView, { Location: locationHeader('what is known about the key') }),
    ...problems(...BODY_PROBLEMS, 'state_conflict', 'too_many_keys', 'database_unavailable'),
  },
});

const listRoute = createRoute({
  method: 'get',
  path: '/keys',
  operationId: 'listKeys',
  ...needs('admin'),
  tags,
  summary: 'List the keys that are not revoked',
  description: 'The keys of `API_KEYS` are not in the list.',
  request: { query: keyListQuery },
  responses: { 200: jsonResponse('One page', keyPage), ...problems('invalid_request', 'database_unavailable') },
});

const readRoute = createRoute({
  method: 'get',
  path: '/keys/{id}',
  operationId: 'getKey',
  ...needs('admin'),
  tags,
  summary: 'Get a key without its secret, even a revoked one',
  request: { params: keyIdParam },
  responses: {
    200: jsonResponse('What is known about it', keyView),
    ...problems('invalid_request', 'not_found', 'database_unavailable'),
  },
});

const revokeRoute = createRoute({
  method: 'delete',
  path: '/keys/{id}',
  operationId: 'revokeKey',
  ...needs('admin'),
  tags,
  summary: 'Revoke a key',
  description: 'Every API process refuses it within two seconds, and ends its streams.',
  request: { params: keyIdParam },
  responses: {
    204: { description: 'It is revoked' },
    ...problems('invalid_request', 'not_found', 'state_conflict', 'cross_site', 'database_unavailable'),
  },
});

export function keys(api: Api, deps: { db: Db; gate: Gate }): void {
  api.openapi(createKeyRoute, async (c) => {
    const { key, text } = await createKey(deps, c.req.valid('json'), c.var.caller);
    c.var.log.info({ key_id: key.id, name: key.name, rights: key.rights, by: c.var.caller }, 'key created');
    c.header('Location', `/keys/${key.id}`);
    c.header('Cache-Control', 'no-store');
    return c.json({ ...keyViewOf(key, Date.now()), key: text }, 201);
  });
  api.openapi(listRoute, async (c) => {
    const { limit, cursor = '' } = c.req.valid('query');
    const found = await listKeys(deps.db, cursor, limit + 1);
    const page = found.slice(0, limit).map((key) => keyViewOf(key, Date.now()));
    return c.json({ keys: page, next_cursor: found.length > limit ? page.at(-1)!.id : null }, 200);
  });
  api.openapi(readRoute, async (c) => {
    const { id } = c.req.valid('param');
    const found = await findKey(deps.db, id);
    if (!found) throw notFound(`key ${id}`);
    return c.json(keyViewOf(found, Date.now()), 200);
  });
  api.openapi(revokeRoute, async (c) => {
    refuseCrossSite(c);
    const { id } = c.req.valid('param');
    await revokeKey(deps, id, c.var.caller);
    c.var.log.info({ key_id: id, by: c.var.caller }, 'key revoked');
    return c.body(null, 204);
  });
}
