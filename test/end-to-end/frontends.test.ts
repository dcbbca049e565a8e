import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { type AddressInfo, connect } from 'node:net';
import { createServer } from 'node:tls';
import pino from 'pino';
import { expect, inject, it, onTestFinished, vi } from 'vitest';
import { connectTemporal, lazyTemporalClient, type TemporalTarget } from '../../src/processes/temporal.ts';
import { startTemporalRelay } from '../../src/processes/temporal-relay.ts';
import { type Certificates, makeCertificates, SERVER_NAME } from '../world/certificates.ts';
import { eventually } from '../world/eventually.ts';
import { startFreezingProxy } from '../world/freezing-proxy.ts';
import { openNamespace } from '../world/world.ts';
import { openCloud } from './cloud.ts';
import { directory } from './program.ts';

const PLAIN = {
  ...{ TEMPORAL_NAMESPACE: 'default', TEMPORAL_API_KEY: undefined, TEMPORAL_CODEC_KEYS: undefined },
  ...{ TEMPORAL_TLS_CA: undefined, TEMPORAL_TLS_CERT: undefined, TEMPORAL_TLS_KEY: undefined },
  TEMPORAL_TLS_SERVER_NAME: undefined,
} satisfies Partial<TemporalTarget>;

const temporalPort = () => Number(inject('temporalAddress').split(':')[1]);

async function startFrontend() {
  const frontend = await startFreezingProxy(temporalPort());
  onTestFinished(() => frontend.close());
  return { ...frontend, address: `127.0.0.1:${frontend.port}` };
}

it('API and workers go on while frontends of Temporal die and hang, as long as one answers', async () => {
  const [one, other] = [await startFrontend(), await startFrontend()];
  const cloud = await openCloud(inject('temporalCli'), {
    TEMPORAL_ADDRESS: `127.0.0.1:1,${one.address},${other.address}`,
    TEMPORAL_NAMESPACE: await openNamespace(),
  });
  cloud.startRoles();
  const builds = async (ref: string) => {
    const id = await eventually(async () => {
      const { status, json } = await cloud.trigger(ref);
      expect(status).toBe(202);
      return json.id as number;
    });
    await cloud.succeeds(id);
  };
  await builds('all-but-one-answer');
  one.cut();
  await builds('one-dies');
  one.mend();
  other.freeze();
  await builds('the-other-hangs');
});

it('TLS with a client certificate passes through to whichever answers, under one name', async () => {
  const certificates = await makeCertificates(await directory());
  const frontend = await startTlsFrontend(certificates);
  const target: TemporalTarget = {
    address: `127.0.0.1:1,${frontend}`,
    TEMPORAL_NAMESPACE: 'default',
    TEMPORAL_API_KEY: undefined,
    TEMPORAL_TLS_CA: certificates.ca,
    TEMPORAL_TLS_CERT: certificates.client.cert,
    TEMPORAL_TLS_KEY: certificates.client.key,
    TEMPORAL_TLS_SERVER_NAME: SERVER_NAME,
    TEMPORAL_CODEC_KEYS: undefined,
  };
  const [native, lazy] = [await connectTemporal(target), await lazyTemporalClient(target)];
  for (const { client } of [native, lazy]) {
    expect(await client.workflowService.getSystemInfo({})).toHaveProperty('serverVersion');
  }
  await Promise.all([native.disconnect(), lazy.disconnect()]);
  // A name that the certificate lacks: by default the first host, which no frontend here is called.
  await expect(connectTemporal({ ...target, TEMPORAL_TLS_SERVER_NAME: undefined })).rejects.toThrow();
  const { TEMPORAL_TLS_CERT: _cert, TEMPORAL_TLS_KEY: _key, ...anonymous } = target;
  await expect(
    connectTemporal({ ...anonymous, TEMPORAL_TLS_CERT: undefined, TEMPORAL_TLS_KEY: undefined }),
  ).rejects.toThrow();
});

it('a proxy of the environment is not asked for the way to a relay, which is in the process itself', async () => {
  const frontend = await startFrontend();
  vi.stubEnv('https_proxy', 'http://127.0.0.1:1');
  onTestFinished(() => void vi.unstubAllEnvs());
  const lazy = await lazyTemporalClient({ ...PLAIN, address: `127.0.0.1:1,${frontend.address}` });
  expect(await lazy.client.workflowService.getSystemInfo({})).toHaveProperty('serverVersion');
  await lazy.disconnect();
});

it('a relay breaks what is connected to a frontend that hangs, and says so once', async () => {
  const frontend = await startFrontend();
  const lines: string[] = [];
  const log = pino({ base: null }, { write: (line) => lines.push(line) });
  const relay = await startTemporalRelay(
    [
      { host: '127.0.0.1', port: frontend.port },
      { host: '127.0.0.1', port: 1 },
    ],
    { tls: false, log, pauses: { checkMs: 20, answerMs: 200 } },
  );
  onTestFinished(() => relay.close());
  const [host, port] = relay.address.split(':');
  const client = connect(Number(port), host);
  client.write('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n');
  await once(client, 'data');
  client.on('error', () => {});
  const closed = new Promise((resolve) => client.resume().once('close', resolve));
  frontend.freeze();
  await closed;
  const about = () => lines.filter((line) => line.includes(`:${frontend.port}`));
  await eventually(() => expect(about()).toHaveLength(1));
  expect(about()[0]).toMatch(/a Temporal frontend does not answer/);
});

/** A frontend that wants a client certificate, before the run's Temporal server. */
async function startTlsFrontend({ ca, server }: Certificates): Promise<string> {
  const frontend = createServer(
    {
      cert: await readFile(server.cert),
      key: await readFile(server.key),
      ca: await readFile(ca),
      requestCert: true,
      rejectUnauthorized: true,
      ALPNProtocols: ['h2'],
    },
    (client) => {
      const behind = connect(temporalPort(), '127.0.0.1');
      client.pipe(behind).pipe(client);
      for (const [from, to] of [
        [client, behind],
        [behind, client],
      ] as const) {
        from.on('error', () => {}).on('close', () => to.destroy());
      }
    },
  );
  frontend.listen(0, '127.0.0.1');
  await once(frontend, 'listening');
  onTestFinished(() => void frontend.close());
  return `127.0.0.1:${(frontend.address() as AddressInfo).port}`;
}
