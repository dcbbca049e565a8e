import { createRoute } from '@hono/zod-openapi';
import { notFound } from '../../commands/refusal.ts';
import { buildIdParam, buildProof } from '../../contracts/builds/build.ts';
import { BUILDS } from '../../store/builds/build-stream.ts';
import type { Db } from '../../store/database.ts';
import { verifyStream } from '../../store/record/stream-verify.ts';
import type { Api } from '../environment.ts';
import { problemResponses } from '../responses.ts';

const route = createRoute({
  method: 'get',
  path: '/builds/{id}/verify',
  operationId: 'verifyBuild',
  tags: ['builds'],
  summary: 'Recompute the hash chain of a build',
  description:
    'Recomputes every hash, folds the events and compares the outcome, with the head of the chain, to the stored state. The answer is 200 also where it is not valid.',
  request: { params: buildIdParam },
  responses: {
    200: { description: 'What was found', content: { 'application/json': { schema: buildProof } } },
    ...problemResponses('invalid_request', 'not_found', 'database_unavailable'),
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
