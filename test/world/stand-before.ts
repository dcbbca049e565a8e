import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { onTestFinished } from 'vitest';

/** A way to the API on which a test can stand: it passes requests on unless it is told otherwise. */
export async function standBefore(api: string, decide: (path: string) => 'pass' | 'hold' | 'break' | number) {
  const server = createServer(async (request, response) => {
    const decision = decide(request.url ?? '');
    if (typeof decision === 'number') return response.writeHead(decision).end('bad gateway');
    const body = request.method === 'GET' ? null : await text(request);
    const headers = Object.entries(request.headers).filter(([name]) =>
      /^(content-type|accept|idempotency-key|last-event-id)$/.test(name),
    );
    const answer = await fetch(api + request.url, {
      method: request.method!,
      body,
      headers: headers as [string, string][],
    });
    if (decision === 'hold') return;
    if (decision === 'break') return response.destroy();
    response.writeHead(answer.status, Object.fromEntries(answer.headers));
    if (!answer.body) return response.end();
    for await (const chunk of answer.body) response.write(chunk);
    return response.end();
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}
