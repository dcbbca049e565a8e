import { chmod, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, Connection } from '@temporalio/client';
import { beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest';
import { commandLine, isAlive } from '../../src/laptop/processes.ts';
import { findTemporalCli } from '../../src/laptop/temporal-cli.ts';
import {
  startTemporalServer,
  type TemporalServer,
  type TemporalServerOptions,
} from '../../src/laptop/temporal-server.ts';
import { eventually } from '../world/eventually.ts';
import { steadyPort } from '../world/steady-port.ts';
import { startProgram } from './child.ts';

let cli: string;
let directory: string;

beforeAll(async () => {
  cli = await findTemporalCli({ env: process.env, report: console.log });
});
beforeEach(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hapax-temporal-'));
  onTestFinished(() => rm(directory, { recursive: true, force: true })); // these run last to first
});

async function start(options: Partial<TemporalServerOptions> = {}): Promise<TemporalServer> {
  const server = await startTemporalServer({ cli, directory, uiPort: null, ...options });
  onTestFinished(() => server.close());
  return server;
}

async function clientOf(address: string): Promise<Client> {
  const connection = await Connection.connect({ address });
  onTestFinished(() => connection.close());
  return new Client({ connection });
}

const serverPid = async (): Promise<number> => Number(await readFile(join(directory, 'temporal.pid'), 'utf8'));

const parentOf = async (pid: number): Promise<number> =>
  Number((await readFile(`/proc/${pid}/stat`, 'utf8')).split(') ')[1]?.split(' ')[1]);

async function untilGone(pid: number, address: string): Promise<void> {
  await eventually(async () => {
    if (isAlive(pid) && (await commandLine(pid)) !== '') throw new Error(`${pid} still runs`);
  });
  const [host, port] = address.split(':');
  await eventually(() => expect(reach(host ?? '', Number(port))).rejects.toThrow('ECONNREFUSED'));
}

function reach(host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, host, () => {
      socket.destroy();
      resolve();
    });
    socket.once('error', reject);
  });
}

test("OpenTelemetry's variables are for Hapax alone: the server, which knows no exporter to the console, starts", async () => {
  onTestFinished(() => void vi.unstubAllEnvs());
  vi.stubEnv('OTEL_TRACES_EXPORTER', 'console');
  expect((await start()).address).toMatch(/:\d+$/);
});

test('kill -9 of our process ends the server, and the next start finds its workflows', async () => {
  const host = await startProgram('temporal-host.ts', cli, directory);
  const before = await clientOf(host.firstLine);
  await before.workflow.start('waits', { workflowId: 'kept', taskQueue: 'nobody' });
  const pid = await serverPid();
  await host.kill();
  await untilGone(pid, host.firstLine);

  const server = await start();
  const { status } = await (await clientOf(server.address)).workflow.getHandle('kept').describe();
  expect(status.name).toBe('RUNNING');
});

describe.skipIf(process.platform !== 'linux')('with the parent of a process read from /proc', () => {
  test('kill -9 of the guard ends the server, and is told', async () => {
    const server = await start();
    const pid = await serverPid();
    process.kill(await parentOf(pid), 'SIGKILL');
    expect(await server.exited).toMatchObject({ code: null, signal: 'SIGKILL' });
    await untilGone(pid, server.address);
  });

  test('a server that outlived its guard and our process is ended by the next start', async () => {
    const host = await startProgram('temporal-host.ts', cli, directory);
    const pid = await serverPid();
    host.process.kill('SIGSTOP'); // so that it does not see the guard's end
    process.kill(await parentOf(pid), 'SIGKILL');
    await host.kill();
    expect(isAlive(pid)).toBe(true);
    const reports: string[] = [];
    await start({ report: (line) => reports.push(line) });
    expect(reports).toEqual([`stopping the Temporal server of an earlier run (pid ${pid})`]);
    await untilGone(pid, host.firstLine);
  });
});

test('two run side by side, with namespaces and search attributes of their own', async () => {
  const other = join(directory, 'other');
  const [one, two] = await Promise.all([
    start({ searchAttributes: { HapaxTest: 'Int' }, namespace: 'first' }),
    start({ directory: other, uiPort: await steadyPort() }),
  ]);
  expect(one.address).not.toBe(two.address);
  expect(one.uiUrl).toBeUndefined();
  expect((await fetch(two.uiUrl ?? '')).status).toBe(200);
  const connection = await Connection.connect({ address: one.address });
  onTestFinished(() => connection.close());
  const client = new Client({ connection, namespace: 'first' });
  expect((await client.workflow.count('HapaxTest = 1')).count).toBe(0);
  await one.close();
  expect(await one.exited).toMatchObject({ code: 0 });
  await expect((await clientOf(two.address)).workflow.count('HapaxTest = 1')).rejects.toThrow();
});

test('of two that are started on one port at the same time one is ready, and the other is not taken for it', async () => {
  const port = await steadyPort();
  const first = start({ port });
  // It has found the port free, and is yet to take it.
  await eventually(serverPid);
  const started = await Promise.allSettled([first, start({ directory: join(directory, 'other'), port })]);
  expect(started.map(({ status }) => status).toSorted()).toEqual(['fulfilled', 'rejected']);
  const { reason } = started.find(({ status }) => status === 'rejected') as PromiseRejectedResult;
  expect(reason.message).toContain(`port ${port} is in use (TEMPORAL_PORT)`);
});

test('two that are started at the same time and prefer the same ports both start', async () => {
  const preferred = { port: await steadyPort(), uiPort: await steadyPort() };
  const [one, two] = await Promise.all(
    ['one', 'two'].map((name) =>
      startTemporalServer({ cli, directory: join(directory, name), preferred }).then((server) => {
        onTestFinished(() => server.close());
        return server;
      }),
    ),
  );
  const ports = [one, two].flatMap((server) => [server!.address, server!.uiUrl]);
  expect(new Set(ports).size).toBe(4);
  expect(ports).toContain(`127.0.0.1:${preferred.port}`);
  expect(ports).toContain(`http://127.0.0.1:${preferred.uiPort}`);
});

test('a port that another program takes while the server starts costs another try, however long its stack trace is', async () => {
  const hasty = join(directory, 'hasty');
  const trace = 'panic: listen tcp 127.0.0.1:1: bind: address already in use\n'.concat(
    'goroutine 1 [running]:\n'.repeat(40),
  );
  const tries = join(directory, 'tries');
  await writeFile(
    hasty,
    `#!/bin/sh\necho >>'${tries}'\n[ $(wc -l <'${tries}') -gt 2 ] && exec '${cli}' "$@"\nprintf '${trace}' >&2\nexit 2\n`,
  );
  await chmod(hasty, 0o700);
  const server = await start({ cli: hasty });
  expect(await readFile(tries, 'utf8')).toBe('\n\n\n');
  const client = await clientOf(server.address);
  expect(await client.workflow.count()).toMatchObject({ count: 0 });
});

test('a port in use and a server that does not start are explained', async () => {
  const server = await start();
  const port = Number(server.address.split(':')[1]);
  await expect(start({ directory: join(directory, 'b'), port })).rejects.toThrow(
    `port ${port} is in use (TEMPORAL_PORT): stop the other program or set TEMPORAL_PORT`,
  );
  const wrong = start({ directory: join(directory, 'c'), searchAttributes: { Odd: 'Nonsense' } });
  await expect(wrong).rejects.toThrow(/ended while starting[\s\S]*Nonsense/);
});
