import { createRoute, z } from '@hono/zod-openapi';
import { lastCheckpoint, proveConsistency, proveInclusion } from '../../commands/audit/prove.ts';
import { consistency, consistencyQuery, inclusionQuery } from '../../contracts/proof.ts';
import type { Db } from '../../store/database.ts';
import type { Api } from '../environment.ts';
import { jsonResponse, problems } from '../responses.ts';
import { needs } from '../rights.ts';

const text = (description: string) => ({
  200: { description, content: { 'text/plain': { schema: z.string() } } },
  ...problems('invalid_request', 'not_found', 'database_unavailable'),
});

const checkpointRoute = createRoute({
  method: 'get',
  path: '/audit/checkpoint',
  operationId: 'getCheckpoint',
  ...needs('read'),
  tags: ['events'],
  summary: 'Get the last signed checkpoint of the log',
  description:
    'A signed note (C2SP tlog-checkpoint): the name of the log, how many events it has, and the root of the Merkle tree (RFC 6962) over them. Keep one where nobody who can change the database can change it: it shows every later change of the events that it covers.',
  responses: text('The checkpoint'),
});

const keyRoute = createRoute({
  method: 'get',
  path: '/audit/key',
  operationId: 'getCheckpointKey',
  ...needs('read'),
  tags: ['events'],
  summary: 'Get the key that checkpoints are verified with',
  description: 'In the form `name+id+key` of signed notes (C2SP signed-note). Keep it with your first checkpoint.',
  responses: text('The key of the last checkpoint'),
});

const inclusionRoute = createRoute({
  method: 'get',
  path: '/audit/inclusion',
  operationId: 'proveInclusion',
  ...needs('read'),
  tags: ['events'],
  summary: 'Prove that an event is in the log',
  description:
    'A proof (C2SP tlog-proof) that can be verified offline with the key of the log alone. Its `extra` holds the position, stream, number in the stream and hash of the event. The hash covers everything else in the event.',
  request: { query: inclusionQuery },
  responses: text('The proof, with the last checkpoint in it'),
});

const consistencyRoute = createRoute({
  method: 'get',
  path: '/audit/consistency',
  operationId: 'proveConsistency',
  ...needs('read'),
  tags: ['events'],
  summary: 'Prove that a checkpoint continues an earlier one',
  description:
    'Anybody who keeps both checkpoints can verify that nothing of the earlier one was changed (RFC 6962, 2.1.2).',
  request: { query: consistencyQuery },
  responses: {
    200: jsonResponse('The proof', consistency),
    ...problems('invalid_request', 'not_found', 'database_unavailable'),
  },
});

/** Adds the routes that prove the record to people who do not trust its operator. */
export function audit(api: Api, db: Db): void {
  api.openapi(checkpointRoute, async (c) => c.text((await lastCheckpoint(db)).note, 200));
  api.openapi(keyRoute, async (c) => c.text(`${(await lastCheckpoint(db)).verifier_key}\n`, 200));
  api.openapi(inclusionRoute, async (c) => c.text(await proveInclusion(db, c.req.valid('query').position), 200));
  api.openapi(consistencyRoute, async (c) => c.json(await proveConsistency(db, c.req.valid('query')), 200));
}
