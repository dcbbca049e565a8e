import { Agent, request } from 'node:http';
import { connect } from 'node:net';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { problem } from '../../src/contracts/problem.ts';
import { seeded } from '../world/seeded.ts';
import { openWorld, type World } from '../world/world.ts';
import { type Attack, attacks } from './hostile-inputs.ts';

const random = seeded(11);

describe('hostile input', () => {
  let world: World;
  let table: Attack[];
  const agent = new Agent({ keepAlive: true, maxSockets: 8 });
  beforeAll(async () => {
    world = await openWorld('server', { GITHUB_WEBHOOK_SECRET: 'a-secret-of-the-test' });
    await world.trigger({ ref: 'first' });
    table = await attacks();
  });
  afterAll(async () => {
    agent.destroy();
    await world.close();
  });

  /** Sends it, and reads no more than the head of a stream. */
  const send = ({ method, path, headers = {}, body }: Attack) =>
    new Promise<{ status: number; type: string; text: string }>((resolve, reject) => {
      const { hostname, port } = new URL(world.url);
      const sent = request({ hostname, port, method, path, headers, agent }, (response) => {
        const { statusCode: status = 0, headers: answered } = response;
        const type = String(answered['content-type'] ?? '');
        let text = '';
        const end = () => resolve({ status, type, text });
        if (type === 'text/event-stream') {
          response.destroy();
          end();
          return;
        }
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', end).on('error', reject);
      });
      sent.on('error', reject).end(body);
    });

  const isFlower = (path: string) => /^\/api\/(task|tasks|workers|worker|queues)\b/.test(path);

  function faultOf({ method, path }: Attack, { status, type, text }: Awaited<ReturnType<typeof send>>) {
    if (status >= 500) return `${status}: ${text.slice(0, 300)}`;
    if (status < 400 || method === 'HEAD' || isFlower(path)) return undefined;
    if (type !== 'application/problem+json') return `${status} of type ${type}: ${text.slice(0, 300)}`;
    const { data } = problem.safeParse(JSON.parse(text));
    if (data?.status !== status) return `${status} is no problem document: ${text.slice(0, 300)}`;
    return text.length > 20_000 ? `an answer of ${text.length} characters` : undefined;
  }

  it('is refused by a problem document, never by 5xx, and costs less than a second of the process', async () => {
    const faults: string[] = [];
    for (const attack of table) {
      const { user } = process.threadCpuUsage();
      const answer = await send(attack);
      const ms = Math.round((process.threadCpuUsage().user - user) / 1_000);
      const fault = faultOf(attack, answer) ?? (ms > 1_000 ? `took ${ms} ms` : undefined);
      if (!fault) continue;
      const { method, path, headers, body } = attack;
      faults.push(
        `${method} ${path.slice(0, 120)} ${JSON.stringify(headers ?? {}).slice(0, 80)} ${body?.slice(0, 80)}: ${fault}`,
      );
    }
    expect(faults).toEqual([]);
    expect(table.length).toBeGreaterThan(3_000);
  });

  it('leaves less than 60 MB behind after 4,000 requests, and others are answered meanwhile', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    const used = () => {
      collect();
      const { heapUsed, external } = process.memoryUsage();
      return heapUsed + external;
    };
    const small = table.filter(({ body = '' }) => body.length < 10_000);
    const before = used();
    let sent = 0;
    let asked = 0;
    const attacker = async () => {
      while (sent++ < 4_000) await send(small[Math.floor(random() * small.length)] as Attack);
    };
    const other = async () => {
      while (sent < 4_000) {
        expect((await world.call('GET', '/health/live')).status).toBe(200);
        asked++;
      }
    };
    await Promise.all([attacker(), attacker(), attacker(), attacker(), other()]);
    expect(used() - before).toBeLessThan(60_000_000);
    expect(asked).toBeGreaterThan(100);
  });

  it('is refused before its signature is checked, where a webhook nests deeper than any body may', async () => {
    const deliver = (levels: number) =>
      world.call('POST', '/webhooks/github', `{"a":${'['.repeat(levels - 1)}${']'.repeat(levels - 1)}}`, {
        'x-github-event': 'workflow_run',
        'x-github-delivery': 'd',
        'x-hub-signature-256': `sha256=${'0'.repeat(64)}`,
      });
    expect((await deliver(100)).json).toMatchObject({ code: 'unauthorized' });
    expect((await deliver(101)).json).toMatchObject({
      status: 400,
      code: 'invalid_request',
      errors: [{ path: 'body' }],
    });
  });

  it.each([
    ['a URL of 64 KB', `GET /${'a'.repeat(65_536)} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n`, 431, 'head_too_large'],
    [
      'a header of 64 KB',
      `GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nA: ${'a'.repeat(65_536)}\r\n\r\n`,
      431,
      'head_too_large',
    ],
    ['no HTTP', 'hello\r\n\r\n', 400, 'malformed_request'],
    ['bytes', '\u0000\u0001\u0002\u0003\r\n\r\n', 400, 'malformed_request'],
    ['an unknown method', 'FOO / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', 400, 'malformed_request'],
    ['another version', 'GET / HTTP/9.9\r\nHost: 127.0.0.1\r\n\r\n', 400, 'malformed_request'],
    ['no host', 'GET /builds HTTP/1.1\r\n\r\n', 403, 'forbidden_host'],
    ['a host that is none', 'GET /builds HTTP/1.1\r\nHost: a b\r\n\r\n', 400, 'malformed_request'],
    ['a URL that is none', 'OPTIONS * HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', 400, 'malformed_request'],
    ['CONNECT', 'CONNECT evil.example:443 HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n', 405, 'method_not_allowed'],
    ['an expectation', 'GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nExpect: magic\r\n\r\n', 417, 'expectation_failed'],
    [
      'two lengths',
      'POST /tasks HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nx',
      400,
      'malformed_request',
    ],
    [
      'a length and chunks',
      'POST /tasks HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n',
      400,
      'malformed_request',
    ],
  ])('on the wire (%s) is refused with a problem document', async (_, wire, status, code) => {
    const answer = await new Promise<string>((resolve, reject) => {
      let text = '';
      const { hostname, port } = new URL(world.url);
      const socket = connect(Number(port), hostname, () => socket.write(Buffer.from(wire, 'latin1')));
      socket.setEncoding('utf8').on('data', (chunk: string) => {
        text += chunk;
        socket.end();
      });
      socket.on('close', () => resolve(text)).on('error', reject);
    });
    const [head = '', body = ''] = answer.split('\r\n\r\n');
    expect(head).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(head.toLowerCase()).toContain('content-type: application/problem+json');
    expect(problem.parse(JSON.parse(body.replace(/^[\da-f]+\r\n/, '').split('\r\n')[0] ?? ''))).toMatchObject({
      status,
      code,
    });
  });
});
