import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';

/** What becomes of a dispatch on its way to a forge and back. */
export type ProxyFault =
  | { kind: 'accept-then'; status: number; body?: string }
  | { kind: 'accept-then-reset' }
  | { kind: 'accept-then-hang' }
  | { kind: 'reject-with'; status: number; headers?: Record<string, string> }
  | { kind: 'reset' }
  | { kind: 'hang' };

/** Stands before a real forge, and does to the next dispatches what is asked. */
export async function startFaultyProxy(target: string) {
  const faults: ProxyFault[] = [];
  let posts = 0;
  const server = createServer((request, response) => void handle(request, response).catch(() => response.destroy()));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));

  async function handle(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const body = await text(request);
    const isDispatch = request.method === 'POST' && /\/dispatches(\?|$)/.test(request.url ?? '');
    if (isDispatch) posts += 1;
    const fault = isDispatch ? faults.shift() : undefined;
    if (fault?.kind === 'reset') return void request.socket.resetAndDestroy();
    if (fault?.kind === 'hang') return;
    if (fault?.kind === 'reject-with') return void response.writeHead(fault.status, fault.headers).end('{}');
    const { authorization = '', accept = '*/*' } = request.headers;
    const forwarded = await fetch(target + request.url, {
      method: request.method ?? 'GET',
      headers: { authorization, accept, 'content-type': 'application/json' },
      body: body === '' ? null : body,
      redirect: 'manual',
    });
    const answer = await forwarded.text();
    if (fault?.kind === 'accept-then-reset') return void request.socket.resetAndDestroy();
    if (fault?.kind === 'accept-then-hang') return;
    const { status, said } =
      fault?.kind === 'accept-then'
        ? { status: fault.status, said: fault.body ?? '' }
        : { status: forwarded.status, said: answer };
    const names = ['content-type', 'link', 'date', 'x-total-count'];
    const headers = names.flatMap((name) =>
      forwarded.headers.has(name) ? [[name, forwarded.headers.get(name)!]] : [],
    );
    response.writeHead(status, Object.fromEntries(headers)).end(status === 204 ? undefined : said);
  }

  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    /** The next dispatches meet these, in this order. */
    strike: (...next: ProxyFault[]) => void faults.push(...next),
    get posts() {
      return posts;
    },
    async close() {
      server.closeAllConnections();
      await new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}
