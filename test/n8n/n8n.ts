import { spawn } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { once } from 'node:events';
import { cpSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../world/eventually.ts';
import { PACKAGE } from '../world/n8n-node.ts';
import { steadyPort } from '../world/steady-port.ts';
import { N8N } from './install.ts';

/** Everything of n8n that would contact somebody outside. */
const ALONE = {
  N8N_DIAGNOSTICS_ENABLED: 'false',
  N8N_VERSION_NOTIFICATIONS_ENABLED: 'false',
  N8N_VERSION_NOTIFICATIONS_WHATS_NEW_ENABLED: 'false',
  N8N_DYNAMIC_BANNERS_ENABLED: 'false',
  N8N_TEMPLATES_ENABLED: 'false',
  N8N_PERSONALIZATION_ENABLED: 'false',
  N8N_HIRING_BANNER_ENABLED: 'false',
  N8N_LICENSE_AUTO_RENEW_ENABLED: 'false',
  N8N_VERIFIED_PACKAGES_ENABLED: 'false',
  N8N_UNVERIFIED_PACKAGES_ENABLED: 'true',
  EXTERNAL_FRONTEND_HOOKS_URLS: '',
};

/** An execution of a workflow. */
export interface Execution {
  id: string;
  status: 'new' | 'running' | 'waiting' | 'success' | 'error' | 'crashed' | 'canceled';
  error: { message: string; description?: string | null; httpCode?: string } | undefined;
  /** What a node put out, item by item, of all its runs. */
  // biome-ignore lint/suspicious/noExplicitAny: whatever the node put out.
  output(node: string): any[];
  /** How often a node ran. */
  runs(node: string): number;
}

/** A node of a workflow, as in its file. */
export interface Node {
  name: string;
  type: string;
  typeVersion: number;
  parameters: Record<string, unknown>;
  credentials?: Record<string, { id: string; name: string }>;
}
export interface Workflow {
  name: string;
  nodes: Node[];
  connections: Record<string, unknown>;
}

/** A real n8n with our nodes installed, on loopback, with a directory and an owner of its own. */
export async function startN8n() {
  const home = await mkdtemp(join(tmpdir(), 'hapax-n8n-'));
  const [port, brokerPort] = [await steadyPort(), await steadyPort()];
  const url = `http://localhost:${port}`;
  // Where n8n itself puts a community node.
  const nodes = join(home, '.n8n/nodes/node_modules/n8n-nodes-hapax');
  mkdirSync(nodes, { recursive: true });
  for (const part of ['package.json', 'dist']) cpSync(join(PACKAGE, part), join(nodes, part), { recursive: true });

  const log = join(home, 'n8n.log');
  const output = openSync(log, 'a');
  const inherited = Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(N8N_|VITEST|NODE_|DB_)/.test(name)),
  );
  const child = spawn(process.execPath, [join(N8N, 'node_modules/n8n/bin/n8n'), 'start'], {
    stdio: ['ignore', output, output],
    env: {
      ...inherited,
      ...ALONE,
      N8N_USER_FOLDER: home,
      N8N_PORT: `${port}`,
      N8N_LISTEN_ADDRESS: '127.0.0.1',
      N8N_HOST: 'localhost',
      N8N_RUNNERS_BROKER_PORT: `${brokerPort}`,
      N8N_SECURE_COOKIE: 'false',
      N8N_ENFORCE_SETTINGS_FILE_PERMISSIONS: 'true',
      DB_SQLITE_POOL_SIZE: '2',
    },
  });
  const ended = once(child, 'exit');
  let cookie = '';

  /** A request to the API that n8n's editor uses. */
  // biome-ignore lint/suspicious/noExplicitAny: whatever n8n answers.
  async function call(method: string, path: string, body?: object): Promise<any> {
    const response = await fetch(`${url}/rest${path}`, {
      method,
      headers: { 'content-type': 'application/json', cookie, 'browser-id': 'check' },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text.slice(0, 500)}`);
    const [set] = response.headers.getSetCookie();
    if (set?.startsWith('n8n-auth')) cookie = set.split(';')[0]!;
    return JSON.parse(text).data;
  }

  const close = async () => {
    child.kill('SIGKILL');
    await ended;
    await rm(home, { recursive: true, force: true, maxRetries: 10, retryDelay: 200 });
  };
  try {
    await eventually(async () => {
      if (child.exitCode !== null) throw new Error(`n8n ended: ${readFileSync(log, 'utf8').slice(-2_000)}`);
      const { ok } = await fetch(`${url}/healthz/readiness`);
      if (!ok) throw new Error('n8n is not ready');
    });
    const owner = { email: 'owner@example.com', firstName: 'A', lastName: 'B' };
    await eventually(() =>
      call('POST', '/owner/setup', { ...owner, password: `Aa1${randomBytes(12).toString('hex')}` }),
    );
  } catch (error) {
    await close();
    throw error;
  }

  const flatted = createRequire(join(N8N, 'node_modules/n8n/package.json'))('flatted');
  async function execution(id: string): Promise<Execution> {
    const { status, data } = await call('GET', `/executions/${id}`);
    const { resultData } = flatted.parse(data);
    const runsOf = (node: string) => resultData.runData[node] ?? [];
    return {
      id,
      status,
      error: resultData.error,
      runs: (node) => runsOf(node).length,
      output: (node) =>
        runsOf(node).flatMap(({ data: put }: { data?: { main?: Array<Array<{ json: unknown }> | null> } }) =>
          (put?.main ?? []).flatMap((items) => (items ?? []).map(({ json }) => json)),
        ),
    };
  }

  return {
    url,
    call,
    close,
    get log() {
      return readFileSync(log, 'utf8');
    },
    /** Makes a credential. @returns what a node names it by. */
    async credential(type: string, name: string, data: object) {
      const { id } = await call('POST', '/credentials', { type, name, data });
      return { [type]: { id: id as string, name } };
    },
    /** Imports a workflow as the editor does. @returns its id. */
    async importWorkflow(workflow: object): Promise<string> {
      return (await call('POST', '/workflows', { ...workflow, active: false })).id;
    },
    /** Runs a workflow as the button of the editor does. @returns the id of the execution. */
    async run(id: string, startNode: string): Promise<string> {
      const workflowData = await call('GET', `/workflows/${id}`);
      const run = { workflowData, triggerToStartFrom: { name: startNode } };
      return (await call('POST', `/workflows/${id}/run`, run)).executionId;
    },
    async activate(id: string, active = true): Promise<void> {
      const { versionId } = await call('GET', `/workflows/${id}`);
      await call('PATCH', `/workflows/${id}`, { active, versionId });
    },
    execution,
    /** The execution once it has ended. */
    ended: (id: string) =>
      eventually(async () => {
        const found = await execution(id);
        if (!['success', 'error', 'crashed', 'canceled'].includes(found.status))
          throw new Error(`execution ${id} is ${found.status}`);
        return found;
      }),
    /** Ids of the executions of a workflow, the oldest first. */
    async executionsOf(workflowId: string): Promise<string[]> {
      const { results } = await call('GET', `/executions?filter=${encodeURIComponent(JSON.stringify({ workflowId }))}`);
      return results.map(({ id }: { id: string }) => id).reverse();
    },
  };
}
export type N8n = Awaited<ReturnType<typeof startN8n>>;
