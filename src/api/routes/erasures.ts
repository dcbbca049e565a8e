import { createRoute } from '@hono/zod-openapi';
import { type EraseManyDependencies, eraseMany, findErasable } from '../../commands/erasures/erase-many.ts';
import { erasureAnswer, erasureBody, erasureDryRun } from '../../contracts/erasures/erasure.ts';
import { SAMPLE } from '../../contracts/many.ts';
import type { Api } from '../environment.ts';
import { jsonBody, jsonResponse, MANY_PROBLEMS, problems } from '../responses.ts';
import { needs } from '../rights.ts';

const route = createRoute({
  method: 'post',
  path: '/erasures',
  operationId: 'eraseData',
  ...needs('admin'),
  tags: ['erasures'],
  summary: 'Erase arguments, results, inputs, content and callback URLs for good',
  description:
    'Erases the data of builds and tasks that have ended, of content, and of refused messages. Their events stay, and still prove what happened. With `dry_run`, nothing changes. Send the request again until `more` is false or `done` is empty. Nobody can undo it.',
  request: { body: jsonBody(erasureBody) },
  responses: {
    200: jsonResponse('A dry run: how many match, and the first of them', erasureDryRun),
    202: jsonResponse('What became of each', erasureAnswer),
    ...problems(...MANY_PROBLEMS),
  },
});

/** Erases the data of one thing, of several, or of all that match. */
export function eraseData(api: Api, deps: EraseManyDependencies): void {
  api.openapi(route, async (c) => {
    const { dry_run, ...which } = c.req.valid('json');
    const { found, more } = await findErasable(deps, which);
    if (dry_run) return c.json({ count: found.length, more, sample: found.slice(0, SAMPLE) }, 200);
    const { done, refused, left } = await eraseMany(deps, found, c.var.caller);
    c.var.log.info({ done: done.length, refused: refused.length, by: c.var.caller }, 'data erased');
    return c.json({ done, refused, more: more || left.length > 0 }, 202);
  });
}
