import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import type { Api } from '../environment.ts';

const SWAGGER_UI = dirname(createRequire(import.meta.url).resolve('swagger-ui-dist/package.json'));

const ASSETS: Record<string, string> = {
  'swagger-ui.css': 'text/css; charset=utf-8',
  'swagger-ui-bundle.js': 'text/javascript; charset=utf-8',
};

const PAGE = `<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><title>Hapax API</title><link rel="stylesheet" href="/docs/swagger-ui.css"></head>
<body><div id="ui"></div><script src="/docs/swagger-ui-bundle.js"></script><script src="/docs/start.js"></script></body>
</html>
`;
const START = "SwaggerUIBundle({ url: '/openapi.json', dom_id: '#ui', validatorUrl: null });\n";

/** Allows nothing from elsewhere. No page of another site may frame this one and trick the user into clicking in it. */
const POLICY = [
  "default-src 'self'",
  "style-src 'self' 'unsafe-inline'",
  "img-src 'self' data:",
  "frame-ancestors 'none'",
  "form-action 'self'",
].join('; ');

/** Serves the page for people. Its files come from the package, so that it works offline. */
export function getDocs(api: Api): void {
  api.use('/docs/*', async (c, next) => {
    await next();
    c.header('Content-Security-Policy', POLICY);
  });
  for (const path of ['/docs', '/docs/']) api.get(path, (c) => c.html(PAGE));
  api.get('/docs/start.js', (c) => c.body(START, 200, { 'Content-Type': 'text/javascript; charset=utf-8' }));
  api.get('/docs/:file', async (c) => {
    const file = c.req.param('file');
    const type = Object.hasOwn(ASSETS, file) ? ASSETS[file] : undefined;
    if (!type) return c.notFound();
    return c.body(await readFile(join(SWAGGER_UI, file)), 200, {
      'Content-Type': type,
      'Cache-Control': 'max-age=86400',
    });
  });
}
