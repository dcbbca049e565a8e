import { Octokit } from '@octokit/rest';
import { onTestFinished, vi } from 'vitest';
import { type GitHubSimulator, startGitHubSimulator } from '../../src/simulator/github.ts';
import type { Settings } from '../../src/simulator/settings.ts';

export const repository = { owner: 'acme', repo: 'images' };
export const workflow = { ...repository, workflow_id: 'build.yml' };

/** What `GET /_simulator/runs` says of a run, as far as the tests care. */
export interface OracleRun {
  workflow: string;
  id: number;
  token: string | null;
  inputs: Record<string, string>;
  display_title: string;
  run_attempt: number;
  status: string;
  conclusion: string | null;
  deleted: boolean;
  ref: string;
  history: { at: string; run_attempt: number; status: string; conclusion: string | null }[];
}

/** What may go wrong with the response to a dispatch that was carried out: faults of the simulator. */
export const CARRIED_OUT = [
  'accept-then-500',
  'accept-then-502',
  'accept-then-503',
  'accept-then-504',
  'accept-then-reset',
  'accept-then-hang',
  'malformed-200',
  '200-without-id',
  '204-when-asked-for-details',
];

/** A simulator of this test's own, closed when the test is over. Runs stay queued until they are told otherwise. */
export async function simulate(settings: Partial<Settings> = {}, dataFile?: string) {
  const simulator = await startGitHubSimulator({ dataFile, settings: { queued_for_ms: 3_600_000, ...settings } });
  onTestFinished(() => simulator.close());
  return { ...simulator, ...remote(simulator) };
}

/** The hands on a simulator, wherever it runs. */
export function remote({ url }: Pick<GitHubSimulator, 'url'>) {
  async function control<T>(method: string, path: string, body?: unknown): Promise<T> {
    const response = await fetch(`${url}/_simulator${path}`, {
      method,
      body: body === undefined ? null : JSON.stringify(body),
    });
    const text = await response.text();
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${text}`);
    return (text === '' ? undefined : JSON.parse(text)) as T;
  }
  const octokit = new Octokit({ baseUrl: url, auth: 'good', log: { debug() {}, info() {}, warn() {}, error() {} } });
  return {
    octokit,
    control,
    fault: (...faults: object[]) => control('POST', '/faults', faults),
    set: (settings: object) => control('PUT', '/settings', settings),
    force: (id: number, status: string, conclusion: string | null = null) =>
      control<OracleRun>('POST', `/runs/${id}`, { status, conclusion }),
    runs: async () => (await control<{ runs: OracleRun[] }>('GET', '/runs')).runs,
    /** The last requests that arrived, oldest first; `at` in milliseconds since the epoch. */
    requests: async () => (await control<{ requests: { at: number; kind: string }[] }>('GET', '/requests')).requests,
    oracle: () =>
      control<{
        dispatch_requests: number;
        runs: number;
        runs_per_token: Record<string, number>;
        requests: Record<string, number>;
        not_modified: number;
        webhooks: { sent: number; accepted: number; lost: number };
      }>('GET', '/oracle'),
    /** Dispatches a build and gives its run id. */
    async dispatch(token: string, inputs: Record<string, unknown> = {}, ref = 'main'): Promise<number> {
      const { data } = await octokit.rest.actions.createWorkflowDispatch({
        ...workflow,
        ref,
        inputs: { hapax_id: token, ...inputs },
        ...({ return_run_details: true } as object),
      });
      return (data as unknown as { workflow_run_id: number }).workflow_run_id;
    },
    async run(id: number) {
      return (await octokit.rest.actions.getWorkflowRun({ ...repository, run_id: id })).data;
    },
  };
}

/** Waits until the assertion holds. */
export function eventually<T>(assertion: () => T | Promise<T>): Promise<T> {
  return vi.waitFor(assertion, { timeout: 30_000, interval: 5 });
}

/** The error a promise is rejected with, as Octokit makes it. */
export async function failureOf(promise: Promise<unknown>): Promise<{
  status: number;
  message: string;
  response?: { headers: Record<string, string>; data: unknown };
}> {
  try {
    await promise;
  } catch (error) {
    return error as never;
  }
  throw new Error('it was expected to fail');
}
