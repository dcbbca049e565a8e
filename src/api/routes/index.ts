import { createRoute } from '@hono/zod-openapi';
import packageJson from '../../../package.json' with { type: 'json' };
import { index } from '../../contracts/index-page.ts';
import { CONSOLE_PATH } from '../console.ts';
import type { Api } from '../environment.ts';
import { jsonResponse, openProblems } from '../responses.ts';

const route = createRoute({
  method: 'get',
  path: '/',
  operationId: 'getIndex',
  tags: ['health'],
  summary: 'Links to the documentation',
  responses: {
    200: jsonResponse('The pages to begin with', index),
    302: { description: 'To the console, for browsers' },
    ...openProblems('forbidden_host'),
  },
});

export function getIndex(api: Api): void {
  api.openapi(route, (c) => {
    c.header('Vary', 'Accept');
    if (c.req.header('accept')?.includes('text/html')) return c.redirect(CONSOLE_PATH, 302);
    const { version } = packageJson;
    return c.json({ name: 'hapax', version, docs: '/docs', openapi: '/openapi.json', health: '/health' } as const, 200);
  });
}
