import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { promisify } from 'node:util';
import { eventually } from './eventually.ts';
import { serverProcess } from './server-process.ts';
import { steadyPort } from './steady-port.ts';

const run = promisify(execFile);
const OWNER = 'acme';

/** The workflow of the tests. The runner never reads it: it ends each job as the input `simulate` says. */
const WORKFLOW = `name: build
run-name: Build \${{ inputs.n }} [\${{ inputs.hapax_id }}]
on:
  workflow_dispatch:
    inputs:
      hapax_id: { type: string }
      n: { type: string }
jobs:
  build:
    runs-on: ubuntu-latest
    steps:
      - run: echo built
`;

export type RealGitea = Awaited<ReturnType<typeof startRealGitea>>;

/**
 * A Gitea of this test's own, with the repository acme/images and a runner that ends each job at once. GITEA_BIN names the program;
 * GITEA_STATIC_ROOT the folder of its templates and options, where it was built without them.
 */
export async function startRealGitea(program: string) {
  const home = await mkdtemp(join(tmpdir(), 'hapax-gitea-'));
  const port = await steadyPort();
  const url = `http://127.0.0.1:${port}`;
  const config = join(home, 'app.ini');
  await mkdir(join(home, 'repositories'));
  await writeFile(config, settings(home, port));
  const environment = { HOME: home, GITEA_WORK_DIR: home, GITEA_I_AM_BEING_UNSAFE_RUNNING_AS_ROOT: 'true' };
  const gitea = async (...words: string[]) =>
    (await run(program, ['--config', config, ...words], { env: { ...process.env, ...environment } })).stdout.trim();
  await gitea('migrate');
  const user = ['--username', OWNER, '--email', 'acme@localhost.invalid'];
  await gitea('admin', 'user', 'create', ...user, '--random-password', '--admin', '--must-change-password=false');
  const words = ['--username', OWNER, '--token-name', 'test', '--scopes', 'all', '--raw'];
  const token = (await gitea('admin', 'user', 'generate-access-token', ...words)).split('\n').at(-1)!;
  const server = serverProcess(program, ['--config', config, 'web'], environment);
  const call = async (method: string, path: string, body?: unknown) => {
    const headers = { authorization: `token ${token}`, 'content-type': 'application/json' };
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers,
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    // biome-ignore lint/suspicious/noExplicitAny: whatever Gitea says.
    return (text === '' ? undefined : JSON.parse(text)) as any;
  };
  await eventually(() => call('GET', '/version'), 60_000);
  await call('POST', '/user/repos', { name: 'images', auto_init: true, default_branch: 'main' });
  const content = Buffer.from(WORKFLOW).toString('base64');
  await call('POST', `/repos/${OWNER}/images/contents/.gitea/workflows/build.yml`, { content, message: 'Add it' });
  // What it logs comes before.
  const registration = (await gitea('actions', 'generate-runner-token')).split('\n').at(-1)!;
  const runner = await startRunner(url, registration).catch(async (error: unknown) => {
    await server.stop('SIGTERM');
    throw error;
  });
  return {
    url,
    token,
    call,
    /** How many runs show each token in their titles. */
    async runsPerToken(): Promise<Record<string, number>> {
      const counts: Record<string, number> = {};
      for (let page = 1; ; page++) {
        const { workflow_runs } = await call('GET', `/repos/${OWNER}/images/actions/runs?limit=50&page=${page}`);
        for (const { display_title } of workflow_runs as { display_title: string }[]) {
          const shown = /\[(hapax-[^\]]+)\]/.exec(display_title)?.[1];
          if (shown) counts[shown] = (counts[shown] ?? 0) + 1;
        }
        if (workflow_runs.length === 0) return counts;
      }
    },
    runner,
    async close() {
      runner.stop();
      await server.stop('SIGTERM');
      await rm(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
    },
  };
}

/** Gitea's runner protocol, as JSON over HTTP. What it is to say of the jobs that it takes can be changed; `null` leaves them running. */
async function startRunner(url: string, registration: string) {
  const ask = async (method: string, body: object, identity: Record<string, string> = {}) => {
    const response = await fetch(`${url}/api/actions/runner.v1.RunnerService/${method}`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', ...identity },
      body: JSON.stringify(body),
    });
    if (!response.ok) throw new Error(`${method}: ${response.status} ${await response.text()}`);
    // biome-ignore lint/suspicious/noExplicitAny: whatever Gitea says.
    return (await response.json()) as any;
  };
  const labels = ['ubuntu-latest'];
  const asked = { name: 'test', token: registration, version: '1', labels };
  const { runner } = await ask('Register', asked);
  const identity = { 'x-runner-uuid': runner.uuid, 'x-runner-token': runner.token };
  await ask('Declare', { version: '1', labels }, identity);
  let stopped = false;
  const runs = {
    result: 'RESULT_SUCCESS' as string | null,
    stop() {
      stopped = true;
    },
  };
  const working = (async () => {
    while (!stopped) {
      const { task } = await ask('FetchTask', { tasksVersion: 0 }, identity);
      if (!task) {
        await delay(50);
        continue;
      }
      if (runs.result === null) continue;
      const at = new Date().toISOString();
      const state = { id: task.id, result: runs.result, startedAt: at, stoppedAt: at, steps: [] };
      await ask('UpdateTask', { state }, identity);
    }
  })();
  // Gitea stops under it.
  working.catch(() => {});
  return runs;
}

function settings(home: string, port: number): string {
  const root = process.env.GITEA_STATIC_ROOT;
  return `
APP_NAME = test
RUN_MODE = prod
[server]
HTTP_ADDR = 127.0.0.1
HTTP_PORT = ${port}
ROOT_URL = http://127.0.0.1:${port}/
DISABLE_SSH = true
OFFLINE_MODE = true
${root ? `STATIC_ROOT_PATH = ${root}` : ''}
[database]
DB_TYPE = sqlite3
PATH = ${join(home, 'gitea.db')}
[repository]
ROOT = ${join(home, 'repositories')}
[security]
INSTALL_LOCK = true
SECRET_KEY = of-the-test
INTERNAL_TOKEN = eyJhbGciOiJIUzI1NiIsInR5cCI6IkpXVCJ9.eyJuYmYiOjE3MDAwMDAwMDB9.OyzNQ7n3FZC7eJCHbRkyOkFKTZfHsRKvxg6VzRDKJkc
[actions]
ENABLED = true
[webhook]
ALLOWED_HOST_LIST = loopback
[log]
MODE = file
LEVEL = warn
ROOT_PATH = ${join(home, 'log')}
`;
}
