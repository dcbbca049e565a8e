import { randomUUID } from 'node:crypto';
import { createServer, type Server, STATUS_CODES } from 'node:http';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { getRequestListener } from '@hono/node-server';
import { Refusal } from '../commands/refusal.ts';
import { LIMITS } from '../contracts/budgets.ts';
import { PROBLEM_JSON, problemOf } from './problem.ts';

/** A listening server. */
export interface Listening {
  url: string;
  /** Stops accepting, ends live streams and waiting requests, and returns when all requests have their responses. */
  close(): Promise<void>;
}

/**
 * How long running requests may still take when the server closes: an operation on many starts nothing after 20 s, and what it started may
 * take 10 s. Streams and waiting requests end at once.
 */
const DRAIN_MS = 30_000;
/** How often connections are closed whose last request has ended since. Node keeps them otherwise, for the next request. */
const CLOSE_IDLE_EVERY_MS = 50;

/**
 * How long an idle connection is kept: longer than load balancers keep theirs (usually 60 s). If the server closed it first, a request sent
 * at that moment would be reset, and nobody could know whether it arrived. Node's default is 5 s.
 */
const KEEP_ALIVE_MS = 75_000;

/** Serves requests on an address. @throws if it is in use. */
export async function listen(
  fetch: Parameters<typeof getRequestListener>[0],
  hostname: string,
  port: number,
): Promise<Listening> {
  const closing = new AbortController();
  const { headBytes, headSeconds, requestSeconds } = LIMITS.requests;
  const server = createServer(
    {
      maxHeaderSize: headBytes,
      headersTimeout: headSeconds * 1_000,
      requestTimeout: requestSeconds * 1_000,
      // The guard refuses a request without one, with a body.
      requireHostHeader: false,
      keepAliveTimeout: KEEP_ALIVE_MS,
      // Ends streams whose client vanished without closing them.
      keepAlive: true,
    },
    getRequestListener((request, env) => fetch(request, Object.assign(env, { closing: closing.signal })), {
      hostname,
      errorHandler: refuseRequest,
    }),
  );
  server.on('clientError', refuseConnection);
  server.on('connect', (_request, socket) => refuse(socket, new Refusal('method_not_allowed')));
  server.on('checkExpectation', ({ socket }) => refuse(socket, new Refusal('expectation_failed')));
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, hostname, resolve);
  });
  const host = hostname.includes(':') ? `[${hostname}]` : hostname;
  return { url: `http://${host}:${(server.address() as AddressInfo).port}`, close: () => closeServer(server, closing) };
}

function closeServer(server: Server, closing: AbortController): Promise<void> {
  closing.abort();
  return new Promise((resolve) => {
    const closeIdle = setInterval(() => server.closeIdleConnections(), CLOSE_IDLE_EVERY_MS);
    const cut = setTimeout(() => server.closeAllConnections(), DRAIN_MS);
    server.close(() => {
      clearInterval(closeIdle);
      clearTimeout(cut);
      resolve();
    });
  });
}

/** Responds to requests that Node's parser accepts but that never reach the API: the URL or Host is not valid. */
function refuseRequest(fault: unknown): Response {
  const error = new Refusal('malformed_request', { detail: detailOf(fault) });
  const document = problemOf(error, randomUUID());
  return new Response(JSON.stringify(document), {
    status: document.status,
    headers: { 'Content-Type': PROBLEM_JSON },
  });
}

/** Responds to what Node's parser refuses. Its own response has no body. */
function refuseConnection(fault: Error & { code?: string }, socket: Socket): void {
  if (fault.code === 'ECONNRESET') socket.destroy();
  else refuse(socket, parserProblem(fault));
}

function parserProblem(fault: Error & { code?: string }): Refusal {
  switch (fault.code) {
    case 'HPE_HEADER_OVERFLOW': {
      const detail = `the URL and the headers have more than ${LIMITS.requests.headBytes} bytes`;
      return new Refusal('head_too_large', { detail });
    }
    case 'HPE_CHUNK_EXTENSIONS_OVERFLOW':
      return new Refusal('body_too_large');
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return new Refusal('request_timeout');
    default:
      return new Refusal('malformed_request', { detail: detailOf(fault) });
  }
}

function detailOf(fault: unknown): string {
  return fault instanceof Error ? fault.message.slice(0, 200) : 'it is not HTTP';
}

/** Writes a problem document to a connection that Node has given up, and closes it. */
function refuse(socket: Duplex, error: Refusal): void {
  if (!socket.writable) {
    socket.destroy();
    return;
  }
  const document = problemOf(error, randomUUID());
  const body = JSON.stringify(document);
  const head = [
    `HTTP/1.1 ${document.status} ${STATUS_CODES[document.status]}`,
    `Content-Type: ${PROBLEM_JSON}`,
    `Content-Length: ${Buffer.byteLength(body)}`,
    'Connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`);
}
