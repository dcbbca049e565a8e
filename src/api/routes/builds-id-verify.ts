import { createRoute } from '@hono/zod-openapi';
import { notFound } from '../../commands/refusal.ts';
import { buildIdParam, buildProof } from '../../contracts/builds/build.ts';
import { BUILDS } from '../../store/builds/build-stream.ts';
import type { Db } from '../../store/database.ts';
import { verifyStream } from '../../store/record/stream-verify.ts';
import type { Api } from '../environment.ts';
import { jsonResponse, problems } from '../responses.ts';
import { needs } from '../rights.ts';

const route = createRoute({
  method: 'get',
  path: '/builds/{id}/verify',
  operationId: 'verifyBuild',
  ...needs('read', 'build'),
  tags: ['builds'],
  summary: 'Verify the hash chain of a build',
  description:
    'Recomputes every hash, and compares the state that follows from the events with the stored state. The status is 200 even if the chain is not valid: see `valid`.',
  request: { params: buildIdParam },
  responses: {
    200: jsonResponse('What was found', buildProof),
    ...problems('invalid_request', 'not_found', 'database_unavailable'),
  },
});

export function getBuildVerify(api: Api, db: Db): void {
  api.openapi(route, async (c) => {
    const { id } = c.req.valid('param');
    const proof = await verifyStream(db, BUILDS, id);
    if (!proof) throw notFound(`build ${id}`);
    const { length, head, fault } = proof;
    const named = fault ? { fault: { seq: fault.seq, message: fault.fault } } : {};
    return c.json({ valid: !fault, length, head, ...named }, 200);
  });
}
