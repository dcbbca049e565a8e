import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { deflateSync } from 'node:zlib';
import { createClient } from '@redis/client';
import { afterAll, beforeAll, expect, it, onTestFinished } from 'vitest';
import type { CeleryResult } from '../../src/contracts/celery/celery.ts';
import { reachRedis } from '../../src/integrations/celery/reachable.ts';
import { openResultStore } from '../../src/integrations/celery/result-store.ts';
import { celery, hasCelery } from '../world/celery.ts';
import { makeCertificates } from '../world/certificates.ts';
import { eventually } from '../world/eventually.ts';
import { hasRedis, type Redis, startRedis } from '../world/redis-server.ts';
import { describeWith } from '../world/required-programs.ts';
import { installed } from '../world/server-process.ts';
import { steadyPort } from '../world/steady-port.ts';

const ended = {
  status: 'SUCCESS',
  traceback: null,
  children: [],
  date_done: '2026-11-21T20:35:30.424000+00:00',
} satisfies Partial<CeleryResult>;

describeWith({ Redis: hasRedis, 'Python with Celery': hasCelery() }, 'results in Redis', () => {
  let redis: Redis;
  beforeAll(async () => {
    redis = await startRedis();
  });
  afterAll(() => redis?.close());

  it.each([
    ['', 'plain', 0],
    ['menos', 'no/separator ü', 0],
    ['menos:', 'with a colon', 3],
    ['menos_', '..', 3],
  ])('are found by Celery with global_keyprefix %j, under the id %j, in database %i', async (prefix, id, database) => {
    const url = redis.url.replace(/\/0$/, `/${database}`);
    const task_id = `${prefix}${id}`;
    const store = openResultStore({ url, keyPrefix: prefix, expiresMs: 60_000, onError: () => {} });
    try {
      await eventually(() => store.store({ ...ended, task_id, result: { found: prefix } }));
      const [found] = await celery({
        ...{ broker: 'memory://', backend: url },
        conf: prefix === '' ? {} : { result_backend_transport_options: { global_keyprefix: prefix } },
        steps: [{ do: 'get', of: task_id, timeout: 5 }],
      });
      expect(found).toEqual({ value: { found: prefix }, status: 'SUCCESS' });
    } finally {
      await store.close();
    }
  });

  const plain = (text: string) => text;
  // As Celery writes it with `result_compression = 'gzip'`, as it calls zlib.
  const compressed = (text: string) =>
    Buffer.concat([Buffer.from('\0celery-compressed\0application/x-gzip\0'), deflateSync(text)]);
  it.each([
    ['plain', plain],
    ['compressed', compressed],
  ])(
    'leave what a worker in Python has written (%s) of the same end, and add the tasks that followed',
    async (_, as) => {
      const client = createClient({ url: redis.url });
      await client.connect();
      const store = openResultStore({ url: redis.url, expiresMs: 60_000, onError: () => {} });
      try {
        const written = {
          ...ended,
          result: 1,
          task_id: 'both',
          worker: 'celery@a',
          children: [[['sent', null], null]],
        };
        await client.set('celery-task-meta-both', as(JSON.stringify(written)));
        const followed: CeleryResult['children'] = [[['next', null], null]];
        await eventually(() => store.store({ ...ended, result: 1, task_id: 'both', children: followed }));
        await store.store({ ...ended, result: 1, task_id: 'both', children: followed });
        const found = JSON.parse((await client.get('celery-task-meta-both')) ?? '');
        expect(found).toEqual({ ...written, children: [...written.children, ...followed] });
      } finally {
        await store.close();
        client.destroy();
      }
    },
  );
});

describeWith(
  { Redis: hasRedis, openssl: installed('openssl') !== undefined },
  'a Redis with an authority of its own',
  () => {
    it('is reached over TLS, by the doctor too', async () => {
      const directory = await mkdtemp(join(tmpdir(), 'hapax-redis-tls-'));
      onTestFinished(() => rm(directory, { recursive: true }));
      const { ca, server } = await makeCertificates(directory, 'IP:127.0.0.1');
      const port = await steadyPort();
      const redis = await startRedis({
        'tls-port': `${port}`,
        'tls-cert-file': server.cert,
        'tls-key-file': server.key,
        'tls-ca-cert-file': ca,
        'tls-auth-clients': 'no',
      });
      onTestFinished(() => redis.close());
      const url = `rediss://127.0.0.1:${port}/0`;
      const trusting = `${url}?ssl_cert_reqs=required&ssl_ca_certs=${ca}`;
      const store = openResultStore({ url: trusting, expiresMs: 60_000, onError: () => {} });
      onTestFinished(() => store.close());
      await eventually(() => store.store({ ...ended, task_id: 'secure', result: 1 }));
      await reachRedis(trusting);
      await reachRedis(`${url}?ssl_cert_reqs=none`);
      await expect(reachRedis(url)).rejects.toThrow(/certificate/);
    });
  },
);
