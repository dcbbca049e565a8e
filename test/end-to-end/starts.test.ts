import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, inject, it } from 'vitest';
import { hapax } from '../integration/told-builds.ts';
import { openTestDatabase } from '../world/world.ts';

describe('a start that waits for a server which takes connections and says nothing', () => {
  let silent: Server;
  const sockets = new Set<Socket>();
  let at: string;
  let home: string;
  let database: Awaited<ReturnType<typeof openTestDatabase>>;
  beforeAll(async () => {
    silent = createServer((socket) => {
      sockets.add(socket);
      socket.on('error', () => {}).on('close', () => sockets.delete(socket));
    });
    silent.listen(0, '127.0.0.1');
    await once(silent, 'listening');
    at = `127.0.0.1:${(silent.address() as AddressInfo).port}`;
    home = await mkdtemp(join(tmpdir(), 'hapax-starts-'));
    database = await openTestDatabase('server');
  });
  afterAll(async () => {
    for (const socket of sockets) socket.destroy();
    silent.close();
    await database.close();
    await rm(home, { recursive: true, force: true });
  });

  const start = (role: string, environment: Record<string, string> = {}) =>
    hapax(role.split(' '), {
      DATABASE_URL: database.url,
      TEMPORAL_ADDRESS: at,
      AMQP_URL: `amqp://${at}`,
      HAPAX_HOME: join(home, randomUUID()),
      PORT: '0',
      START_TIMEOUT: '7s',
      ...environment,
    });

  it.concurrent.each([
    ['migrate', /waiting for Temporal at 127\.0\.0\.1:\d+ \(TEMPORAL_ADDRESS\), 5 s of at most 7 s/],
    ['worker', /Temporal cannot be reached; trying again/],
    ['bridge', /Temporal cannot be reached; trying again/],
    ['up', /waiting for Temporal at 127\.0\.0\.1:\d+ \(TEMPORAL_ADDRESS\), 5 s of at most 7 s/],
  ])('says so, and ends with one line: hapax %s', async (role, saying) => {
    const startedAt = Date.now();
    const { code, stdout, stderr } = await start(role);
    expect([role, code, stdout + stderr]).toEqual([role, 1, expect.stringMatching(saying)]);
    const last = stderr.trimEnd().split('\n').at(-1);
    expect(last).toMatch(
      /^hapax: Temporal at 127\.0\.0\.1:\d+ \(TEMPORAL_ADDRESS\) (did not respond|could not be reached) within 7 s/,
    );
    expect(stderr).not.toMatch(/^ +at /m);
    // Its own start, on a busy machine, and the seven seconds.
    expect(Date.now() - startedAt).toBeLessThan(120_000);
  });

  it.concurrent.each(['migrate', 'up', 'audit verify', 'rebuild'])('for Postgres: hapax %s', async (role) => {
    const { code, stderr } = await start(role, {
      DATABASE_URL: `postgres://${at}/hapax`,
      TEMPORAL_ADDRESS: inject('temporalAddress'),
    });
    expect([role, code]).toEqual([role, 1]);
    expect(stderr).toMatch(/hapax: the database at 127\.0\.0\.1:\d+ \(DATABASE_URL\) (cannot be used|did not respond)/);
    expect(stderr).not.toMatch(/^ +at /m);
  });
});
