import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { createNodeEngines } from '@surrealdb/node';
import { CborCodec, type RpcEngine, type RpcRequest, Surreal, Uuid } from 'surrealdb';

const PASSWORD = 'a sea of tides';
const codec = new CborCodec({});
/** The longest request, as by default of SurrealDB. */
const MOST_BYTES = 4 * 1_048_576;
/** What the server answers whoever asks. */
const OPEN = new Set(['signin', 'version']);

export interface SurrealServerOptions {
  /** How long a token lasts, as SurrealDB writes durations. */
  tokens?: string;
  /** Told before each request, which waits for it; what it returns breaks the connection, or leaves it without a response. */
  disturb?: (method: string) => 'reset' | 'hang' | undefined | Promise<undefined>;
}

/**
 * SurrealDB over HTTP: a real one within this process behind the RPC of its server, since no registry has the server. It lets in as
 * that does: each request has its own session, and does nothing without a token.
 */
export async function startSurrealServer({ tokens = '1h', disturb }: SurrealServerOptions = {}) {
  let engine: RpcEngine | undefined;
  const owner = new Surreal({
    engines: {
      mem: (context) => {
        const made = createNodeEngines().mem!(context);
        engine = made as unknown as RpcEngine;
        return made;
      },
    },
  });
  await owner.connect('mem://', { namespace: 'hapax', database: 'hapax' });
  await owner.query(`
    DEFINE USER hapax ON DATABASE PASSWORD '${PASSWORD}' ROLES EDITOR DURATION FOR TOKEN ${tokens};
    DEFINE USER reader ON DATABASE PASSWORD '${PASSWORD}' ROLES VIEWER;
    DEFINE USER root ON ROOT PASSWORD '${PASSWORD}' ROLES OWNER`);
  const asked: string[] = [];

  async function answer(
    { id, method, params }: RpcRequest<string, unknown[]> & { id: unknown },
    headers: IncomingHttpHeaders,
  ) {
    const session = new Uuid(randomUUID());
    const send = (name: string, values: unknown[]) => engine!.send({ method: name, params: values, session });
    await engine!.attach(session);
    try {
      if (headers['surreal-ns']) await send('use', [headers['surreal-ns'], headers['surreal-db']]);
      const [, token] = /^Bearer (.+)$/.exec(headers.authorization ?? '') ?? [];
      if (token) await send('authenticate', [token]);
      else if (!OPEN.has(method)) throw Object.assign(new Error('Not enough permissions'), { code: -32002 });
      return { id, result: await send(method, params ?? []) };
    } catch (error) {
      const { code = -32000, message, kind } = error as Error & { code?: number; kind?: string };
      return { id, error: { code, message, ...(kind ? { kind } : {}) } };
    } finally {
      await engine!.detach(session);
    }
  }

  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const whole = Buffer.concat(chunks);
    if (whole.length > MOST_BYTES) return void response.writeHead(413).end();
    const rpc = codec.decode<RpcRequest<string, unknown[]> & { id: unknown }>(whole);
    asked.push(rpc.method);
    const disturbed = await disturb?.(rpc.method);
    if (disturbed === 'hang') return;
    if (disturbed === 'reset') return void request.socket.resetAndDestroy();
    const body = codec.encode(await answer(rpc, request.headers));
    response.writeHead(200, { 'content-type': 'application/cbor' }).end(body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    password: PASSWORD,
    asked,
    owner,
    async close() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
      await owner.close();
    },
  };
}
