import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import { person } from '../world/command-line.ts';

it('hapax retry makes no new run where the old one may be going, and its forge cannot re-run it', async () => {
  const asked: unknown[] = [];
  const build = {
    id: 7,
    needs_attention: false,
    workflow_run_id: 42,
    status: 'failure',
    conclusion: 'dispatch_failed',
  };
  const refusal = {
    code: 'not_supported',
    title: 'Not supported',
    detail: 'the forge cannot run it again',
    status: 409,
  };
  const server = createServer(async (request, response) => {
    const isRetry = request.method === 'POST';
    if (isRetry) asked.push(JSON.parse(Buffer.concat(await request.toArray()).toString()));
    const type = isRetry ? 'application/problem+json' : 'application/json';
    response.writeHead(isRetry ? 409 : 200, { 'content-type': type });
    response.end(JSON.stringify(isRetry ? refusal : build));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => void server.close());
  const me = person({ HAPAX_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}` });
  onTestFinished(me.remove);
  expect(await me.hapax(['retry', '7'])).toMatchObject({ code: 2, stderr: expect.stringContaining(refusal.detail) });
  expect(asked).toEqual([{ mode: 'rerun' }]);
});
