import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { request } from 'node:http';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { expect, it, onTestFinished } from 'vitest';
import { remote } from '../simulator/harness.ts';
import { eventually } from '../world/eventually.ts';
import { steadyPort } from '../world/steady-port.ts';
import { callers } from '../world/world.ts';
import { processesOf } from './processes-of.ts';
import { directory, Program } from './program.ts';

interface Place {
  host: string;
  port: number;
}
interface Answer {
  status: number;
  allowed: string | undefined;
  body: string;
}

/** What the processes that a text marks listen on, as the kernel has it (Linux). */
function listeningPlaces(mark: string): Place[] {
  const sockets = new Set(
    processesOf(mark).flatMap((line) => {
      const directory = `/proc/${Number.parseInt(line, 10)}/fd`;
      return readdirSync(directory).flatMap((fd) => {
        try {
          return /^socket:\[(\d+)\]$/.exec(readlinkSync(`${directory}/${fd}`))?.[1] ?? [];
        } catch {
          return []; // closed meanwhile
        }
      });
    }),
  );
  const LISTEN = '0A';
  return readFileSync('/proc/net/tcp', 'utf8')
    .split('\n')
    .flatMap((line) => {
      const [, local = '', , state, , , , , , inode = ''] = line.trim().split(/\s+/);
      if (state !== LISTEN || !sockets.has(inode)) return [];
      const [address = '', port = ''] = local.split(':');
      const host = [...Buffer.from(address, 'hex')].reverse().join('.');
      return [{ host, port: Number.parseInt(port, 16) }];
    });
}

/** Whether a browser refuses to connect there at all ("port blocking" of the Fetch standard, which Node's fetch keeps to). */
async function isBlockedByBrowsers({ host, port }: Place): Promise<boolean> {
  const outcome = await fetch(`http://${host}:${port}/`).catch((error: Error) => error);
  return outcome instanceof Error && /bad port/.test(String(outcome.cause));
}

/** Sends what a browser sends; undefined where the other side speaks no HTTP. */
function send(place: Place, method: string, path: string, headers: object, body?: string): Promise<Answer | undefined> {
  return new Promise((resolve) => {
    const asked = request({ ...place, method, path, headers: { ...headers }, timeout: 5_000 }, (answer) => {
      let text = '';
      answer.on('data', (chunk) => (text += chunk));
      answer.once('close', () =>
        resolve({
          status: answer.statusCode ?? 0,
          allowed: answer.headers['access-control-allow-origin'],
          body: text,
        }),
      );
    });
    asked.once('timeout', () => asked.destroy());
    asked.once('error', () => resolve(undefined));
    asked.end(body);
  });
}

const EVIL = 'http://evil.example';

/** What a page can put into a request without asking for leave. */
const SIMPLE_TYPES = ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data; boundary=x'];

const ACTS: Array<[path: string, body: object]> = [
  ['/builds/trigger', { ref: 'evil' }],
  ['/builds/1/cancel', {}],
  ['/builds/1/retry', {}],
  ['/console/builds/1/cancel', {}],
  ['/console/builds/1/retry', {}],
  ['/console/sign-out', {}],
  ['/dlq/redrive', {}],
  ['/tasks', { name: 'semantic_search', args: ['evil'] }],
  ['/youtube/ingest-async?url=https://youtu.be/dQw4w9WgXcQ', {}],
  ['/api/v1/search', { query: 'evil' }],
  ['/api/task/async-apply/semantic_search', { args: ['evil'] }],
  ['/api/task/send-task/semantic_search', { args: ['evil'] }],
  ['/api/worker/shutdown/any', {}],
  ['/repos/acme/images/actions/workflows/build.yml/dispatches', { ref: 'evil' }],
  ['/_simulator/runs', { repository: 'acme/images', display_title: 'evil' }],
  ['/_simulator/faults', { on: 'dispatch', kind: 'reset' }],
  ['/api/v1/namespaces/default/workflows/evil', { workflowType: { name: 'build' }, taskQueue: { name: 'q' } }],
  ['/namespaces/default/workflows/evil', { workflowType: { name: 'build' }, taskQueue: { name: 'q' } }],
  ['/api/v1/namespaces/default/workflows/waits/terminate', {}],
  ['/api/v1/namespaces/default/workflows/waits/cancel', {}],
  ['/api/v1/namespaces/default/workflows/waits/signal/retry', {}],
  [
    '/api/v1/namespaces/default/batch-operations/evil',
    { visibilityQuery: 'WorkflowType = "x"', terminationOperation: {} },
  ],
];
const LOOKS = [
  '/',
  '/builds',
  '/tasks',
  '/configs',
  '/metrics',
  '/health',
  '/openapi.json',
  '/docs',
  '/console',
  '/console/builds',
  '/console/changes?of=build&since=0',
  '/api/tasks',
  '/_simulator/runs',
];
const UI_LOOKS = ['/api/v1/namespaces', '/api/v1/namespaces/default/workflows', '/api/v1/settings', '/debug/pprof/'];

it.skipIf(process.platform !== 'linux')(
  'no web page starts, ends or reads anything at any port of `hapax up`',
  async () => {
    const home = await directory();
    const settings = {
      HAPAX_HOME: join(home, 'hapax'),
      PORT: '0',
      FLOWER_PORT: `${await steadyPort()}`,
      TEMPORAL_PORT: '0',
      TEMPORAL_UI_PORT: '0',
      GITHUB_REPO: 'acme/images',
    };
    const hapax = new Program(process.execPath, ['bin/hapax.js', 'up'], settings, join(home, 'up.log'));
    onTestFinished(() => hapax.kill());
    const url = await eventually(() => {
      const found = /ready; /.test(hapax.output) && /API +(http:\S+)/.exec(hapax.output)?.[1];
      if (!found) throw new Error(`it is not ready: ${hapax.output}`);
      return found;
    }, 120_000);
    const [, address = '', uiUrl = ''] = /Temporal (\S+) +Web UI (\S+)/.exec(hapax.output) ?? [];
    const connection = await Connection.connect({ address });
    onTestFinished(() => connection.close());
    const client = new Client({ connection });
    const waits = await client.workflow.start('waits', { workflowId: 'waits', taskQueue: 'nobody' });
    const api = callers(url);
    const { id } = (await api.trigger({ ref: 'main' })).json;
    await api.ended(id);

    const places = listeningPlaces(home);
    const ports = places.map(({ port }) => port);
    for (const told of [url, uiUrl, `http://${address}`]) expect(ports).toContain(Number(new URL(told).port));
    expect(ports).toContain(Number(settings.FLOWER_PORT));
    const reachable: Place[] = [];
    for (const place of places) if (!(await isBlockedByBrowsers(place))) reachable.push(place);
    // The metrics of Temporal, and its Web UI, which is behind the one at uiUrl.
    expect(places.length - reachable.length).toBe(2);

    const taken: string[] = [];
    const note = (place: Place, what: string, { status, body }: Answer) =>
      taken.push(`${place.host}:${place.port} ${what}: ${status} ${body.slice(0, 200)}`);
    for (const place of reachable) {
      const own = `${place.host}:${place.port}`;
      for (const [path, body] of ACTS) {
        for (const type of SIMPLE_TYPES) {
          const page = {
            origin: EVIL,
            'sec-fetch-site': 'cross-site',
            'sec-fetch-mode': 'no-cors',
            'content-type': type,
          };
          // An old browser sends no Sec-Fetch-Site; one on a page of another port calls itself the same site.
          for (const headers of [
            page,
            { origin: EVIL, 'content-type': type },
            { ...page, origin: 'http://127.0.0.1:1' },
          ]) {
            const answer = await send(place, 'POST', path, { host: own, ...headers }, JSON.stringify(body));
            if (answer && answer.status < 400) note(place, `POST ${path} as ${type}`, answer);
          }
        }
        // A name of the page's own that resolves to loopback: the browser takes it for the same site.
        const rebound = {
          host: `evil.example:${place.port}`,
          origin: `${EVIL}:${place.port}`,
          'sec-fetch-site': 'same-origin',
        };
        const json = { 'content-type': 'application/json', 'x-csrf-token': 'a', cookie: '_csrf=a' };
        const answer = await send(place, 'POST', path, { ...rebound, ...json }, JSON.stringify(body));
        if (answer && answer.status < 400) note(place, `POST ${path} rebound`, answer);
      }
      for (const path of [...LOOKS, ...UI_LOOKS]) {
        for (const host of ['evil.example', `127.0.0.1.evil.example:${place.port}`, `0.0.0.0:${place.port}`]) {
          const answer = await send(place, 'GET', path, { host, 'sec-fetch-site': 'same-origin' });
          if (answer && answer.status < 400) note(place, `GET ${path} as ${host}`, answer);
        }
        const asked = { 'access-control-request-method': 'POST', 'access-control-request-headers': 'content-type' };
        for (const [method, more] of [
          ['GET', {}],
          ['OPTIONS', asked],
        ] as const) {
          const answer = await send(place, method, path, { host: own, origin: EVIL, ...more });
          if (answer?.allowed !== undefined) note(place, `${method} ${path} may be read by ${answer.allowed}`, answer);
        }
      }
    }
    expect(taken).toEqual([]);

    expect((await waits.describe()).status.name).toBe('RUNNING');
    const begun: string[] = [];
    // A schedule of ours may begin one at any time.
    for await (const { type, workflowId } of client.workflow.list({ query: 'TemporalScheduledById IS NULL' })) {
      begun.push(type === 'build' ? type : workflowId);
    }
    expect(begun.sort()).toEqual(['build', 'waits']);
    expect((await api.call('GET', '/tasks')).json.tasks).toEqual([]);
    const oracles = await Promise.all(
      reachable.map(({ host, port }) =>
        remote({ url: `http://${host}:${port}` })
          .oracle()
          .catch(() => undefined),
      ),
    );
    expect(oracles.flatMap((oracle) => oracle?.runs ?? [])).toEqual([1]);

    // Nor does another user of the machine learn the password of the record, who sees the arguments of each process.
    const { databaseUrl } = JSON.parse(readFileSync(join(settings.HAPAX_HOME, 'owner.json'), 'utf8'));
    const { password } = new URL(databaseUrl);
    expect(password).not.toBe('');
    expect([...processesOf(home), hapax.output].filter((text) => text.includes(password))).toEqual([]);

    // A person who follows a link from a page, and the UI's own page, get in.
    const ui = new URL(uiUrl);
    const place = { host: ui.hostname, port: Number(ui.port) };
    const link = {
      host: ui.host,
      'sec-fetch-site': 'cross-site',
      'sec-fetch-mode': 'navigate',
      'sec-fetch-dest': 'document',
    };
    expect(await send(place, 'GET', '/', link)).toMatchObject({ status: 200, body: expect.stringContaining('<html') });
    const script = { host: ui.host, 'sec-fetch-site': 'same-origin', 'sec-fetch-mode': 'cors' };
    const listed = await send(place, 'GET', '/api/v1/namespaces/default/workflows', script);
    expect(listed?.body).toContain('"waits"');
  },
);
