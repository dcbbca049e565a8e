import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { Api } from '../../src/cli/client/api.ts';
import { sendOnce } from '../../src/cli/client/send-once.ts';

// The pauses between tries protect nothing here.
vi.mock('node:timers/promises', () => ({ setTimeout: async () => {} }));

let state: string;
beforeEach(() => {
  state = mkdtempSync(join(tmpdir(), 'hapax-state-'));
  vi.stubEnv('XDG_STATE_HOME', state);
  const stderr = vi.spyOn(process.stderr, 'write').mockReturnValue(true);
  return () => {
    stderr.mockRestore();
    vi.unstubAllEnvs();
    rmSync(state, { recursive: true, force: true });
  };
});

/** A server that closes the socket or responds with a status, in this order and then with the last. It keeps the keys that it got. */
async function serverThat(...responses: Array<'closes' | number>) {
  const keys: unknown[] = [];
  const server = createServer((request, response) => {
    keys.push(request.headers['idempotency-key']);
    const next = responses.length > 1 ? responses.shift()! : responses[0]!;
    if (next === 'closes') return void request.socket.destroy();
    const body = next < 400 ? { id: 1 } : { code: 'refused', title: `it says ${next}` };
    response.writeHead(next, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const api = new Api({ url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`, from: 'the test' });
  return { keys, send: () => sendOnce<{ id: number }>(api, '/builds/trigger', { what: 'build', body: () => ({}) }) };
}

const keptFiles = () => readdirSync(join(state, 'hapax/requests'));

describe('a command whose response was lost', () => {
  it.each([401, 403, 404, 408, 409, 422, 429, 503])('keeps its key where the next try gets %d', async (status) => {
    const { keys, send } = await serverThat('closes', ...Array(3).fill(status), 202);
    // It gives up after the last try, or at the first refusal. Each refused command is run again, until one succeeds.
    for (let commands = 0; keys.length < 5 && commands < 5; commands++) {
      await send().catch(({ message }: Error) =>
        expect(message).toBe(`it says ${status}: the same command again is safe: it makes nothing twice`),
      );
    }
    expect(new Set(keys).size).toBe(1);
    expect(keys).toHaveLength(5);
    expect(keptFiles()).toEqual([]);
  });
});

it('a command that was refused at once made nothing, so the next one is another', async () => {
  const { keys, send } = await serverThat(422, 202);
  await expect(send()).rejects.toThrow(/^it says 422$/);
  expect(keptFiles()).toEqual([]);
  await send();
  expect(new Set(keys).size).toBe(2);
});

it('a command that only a proxy or a limit turned away keeps its key', async () => {
  const { keys, send } = await serverThat(429, 429, 429, 429, 202);
  await expect(send()).rejects.toThrow(/again is safe/);
  await send();
  expect(new Set(keys).size).toBe(1);
});
