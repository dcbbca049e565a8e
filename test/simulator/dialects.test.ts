import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { DialectKind } from '../../src/simulator/dialects/kind.ts';
import { startGitHubSimulator } from '../../src/simulator/github.ts';
import { eventually, remote } from './harness.ts';
import { receive } from './receiver.ts';

/** Fields and their types, as the forge itself describes them. */
type Fields = Record<string, Record<string, string>>;
const read = (file: string): Fields =>
  JSON.parse(readFileSync(fileURLToPath(new URL(`../fixtures/forges/${file}`, import.meta.url)), 'utf8')).fields;
const GITEA = read('gitea-1.26.json');
const FORGEJO = read('forgejo-16.json');

async function simulate(dialect: DialectKind) {
  const simulator = await startGitHubSimulator({ dialect, settings: { queued_for_ms: 3_600_000 } });
  onTestFinished(() => simulator.close());
  const ask = async (method: string, path: string, body?: unknown) => {
    const response = await fetch(`${simulator.apiUrl}/repos/acme/images/actions${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await response.text();
    return {
      status: response.status,
      headers: response.headers,
      json: text.startsWith('{') || text.startsWith('[') ? JSON.parse(text) : undefined,
    };
  };
  return { ...simulator, ...remote(simulator), ask };
}

/** What of an object the forge does not describe, or describes otherwise. */
function faultsOf(object: Record<string, unknown>, fields: Record<string, string>): string[] {
  return Object.entries(object).flatMap(([name, value]) => {
    const wanted = fields[name];
    if (wanted === undefined) return [`${name} is not a field`];
    const type =
      value === null ? 'null' : Array.isArray(value) ? 'array' : Number.isInteger(value) ? 'integer' : typeof value;
    const fits = type === wanted || type === 'null' || (type === 'object' && /^[A-Z]/.test(wanted));
    return fits ? [] : [`${name} is ${type}, not ${wanted}`];
  });
}

/** What a real Gitea answered to the same requests. */
const RECORDED: Record<string, { status: number; body: unknown }> = JSON.parse(
  readFileSync(fileURLToPath(new URL('../fixtures/forges/gitea-1.26-recorded.json', import.meta.url)), 'utf8'),
).answers;

/** The fields of an object and of those in it, without what they hold; people and repositories are not looked into. */
function outlineOf(value: unknown, name = ''): unknown {
  if (['actor', 'trigger_actor', 'repository'].includes(name)) return 'object';
  if (Array.isArray(value)) return value.map((element) => outlineOf(element));
  if (typeof value !== 'object' || value === null) return typeof value;
  return Object.fromEntries(Object.entries(value).map(([key, field]) => [key, outlineOf(field, key)]));
}

describe('the simulated Gitea', () => {
  const dispatches = '/workflows/build.yml/dispatches';

  it('gives each response the fields of Gitea 1.26, and no header that only GitHub has', async () => {
    const gitea = await simulate('gitea');
    const asked = { ref: 'main', inputs: { hapax_id: 't' } };
    const made = await gitea.ask('POST', `${dispatches}?return_run_details=true`, asked);
    expect(made.status).toBe(200);
    expect(faultsOf(made.json, GITEA.RunDetails!)).toEqual([]);
    const id = made.json.workflow_run_id;
    expect(id).toBeLessThan(1_000);
    for (const name of ['etag', 'x-ratelimit-remaining', 'x-github-request-id'])
      expect(made.headers.has(name)).toBe(false);
    for (const [status, conclusion] of [['queued'], ['in_progress'], ['completed', 'timed_out']] as const) {
      await gitea.force(id, status, conclusion ?? null);
      const run = (await gitea.ask('GET', `/runs/${id}`)).json;
      expect(faultsOf(run, GITEA.ActionWorkflowRun!)).toEqual([]);
      expect(run).toMatchObject({ run_attempt: 0, path: 'build.yml@refs/heads/main', display_title: 'Build main [t]' });
      expect(run.started_at.startsWith('1970')).toBe(status === 'queued');
      // Gitea knows no other word for a bad end.
      expect(run.conclusion).toBe(status === 'completed' ? 'failure' : undefined);
      const { jobs } = (await gitea.ask('GET', `/runs/${id}/jobs`)).json;
      expect(faultsOf(jobs[0], GITEA.ActionWorkflowJob!)).toEqual([]);
    }
    const again = await gitea.ask('POST', `/runs/${id}/rerun`);
    expect([again.status, again.json.status, again.json.run_attempt]).toEqual([201, 'queued', 0]);
    const listed = (await gitea.ask('GET', '/runs?limit=1')).json;
    expect(faultsOf(listed, GITEA.ActionWorkflowRunsResponse!)).toEqual([]);
    expect(faultsOf((await gitea.ask('GET', '/workflows/build.yml')).json, GITEA.ActionWorkflow!)).toEqual([]);
  });

  it('answers as a real Gitea did', async () => {
    const gitea = await simulate('gitea');
    const inputs = { hapax_id: 'hapax-1-1-0123456789ab', n: '1', unknown: 'x' };
    const answers: Record<string, { status: number; json: unknown }> = {
      dispatch: await gitea.ask('POST', `${dispatches}?return_run_details=true`, { ref: 'main', inputs }),
    };
    const id = (await gitea.runs())[0]!.id;
    await gitea.force(id, 'in_progress');
    answers.run = await gitea.ask('GET', `/runs/${id}`);
    answers.jobs = await gitea.ask('GET', `/runs/${id}/jobs`);
    answers.workflow = await gitea.ask('GET', '/workflows/build.yml');
    for (const [name, { status, json }] of Object.entries(answers)) {
      expect(status, name).toBe(RECORDED[name]?.status);
      expect(outlineOf(json), name).toEqual(outlineOf(RECORDED[name]?.body));
    }
    const refusals: Record<string, { status: number; json: { message: string } | undefined }> = {
      bad_ref: await gitea.ask('POST', dispatches, { ref: 'missing' }),
      without_details: await gitea.ask('POST', dispatches, { ref: 'main', return_run_details: true }),
      no_ref: await gitea.ask('POST', dispatches, {}),
      number_as_input: await gitea.ask('POST', dispatches, { ref: 'main', inputs: { n: 1 } }),
      no_workflow: await gitea.ask('POST', '/workflows/missing.yml/dispatches', { ref: 'main' }),
      cancel: await gitea.ask('POST', `/runs/${id}/cancel`),
      rerun_too_early: await gitea.ask('POST', `/runs/${id}/rerun`),
      no_run: await gitea.ask('GET', '/runs/999999'),
    };
    const words = (body: unknown) =>
      (body as { message?: string } | undefined)?.message
        ?.replace(/"(nowhere|missing)"/, '"REF"')
        .replace(/"(none|missing).yml"/, '"FILE"');
    for (const [name, { status, json }] of Object.entries(refusals)) {
      expect([status, words(json)], name).toEqual([RECORDED[name]?.status, words(RECORDED[name]?.body)]);
    }
  });

  it('refuses and ignores what Gitea does', async () => {
    const gitea = await simulate('gitea');
    const dispatch = (body: object, path = dispatches) => gitea.ask('POST', path, body);
    expect((await dispatch({ ref: 'main', return_run_details: true })).status).toBe(204);
    expect((await dispatch({ ref: 'main', inputs: { unknown: 'x' } })).status).toBe(204);
    expect((await dispatch({ ref: 'main', inputs: { n: 1 } })).status).toBe(422);
    expect((await dispatch({})).json.message).toBe('[Ref]: Required');
    expect(await dispatch({ ref: 'missing' })).toMatchObject({
      status: 404,
      json: { message: 'ref "missing" doesn\'t exist' },
    });
    const missing = await dispatch({ ref: 'main' }, '/workflows/missing.yml/dispatches');
    expect(missing).toMatchObject({ status: 404, json: { message: 'workflow "missing.yml" doesn\'t exist' } });
    expect((await dispatch({ ref: 'main' }, '/workflows/disabled.yml/dispatches')).status).toBe(403);
    expect((await gitea.ask('POST', '/runs/1/cancel')).status).toBe(404);
    expect((await gitea.ask('GET', '/runs?limit=100')).json.workflow_runs).toHaveLength(2);
  });
});

describe('the simulated Forgejo', () => {
  const dispatches = '/workflows/build.yml/dispatches';

  it('gives each response the fields of Forgejo 16', async () => {
    const forgejo = await simulate('forgejo');
    const made = await forgejo.ask('POST', dispatches, {
      ref: 'main',
      inputs: { hapax_id: 't' },
      return_run_info: true,
    });
    expect(made.status).toBe(201);
    expect(faultsOf(made.json, FORGEJO.DispatchWorkflowRun!)).toEqual([]);
    const { id } = made.json;
    for (const [status, said] of [
      ['queued', 'waiting'],
      ['in_progress', 'running'],
      ['completed', 'success'],
    ] as const) {
      await forgejo.force(id, status, status === 'completed' ? 'success' : null);
      const run = (await forgejo.ask('GET', `/runs/${id}`)).json;
      expect(faultsOf(run, FORGEJO.ActionRun!)).toEqual([]);
      expect(run).toMatchObject({ status: said, title: 'build', workflow_id: 'build.yml', prettyref: 'main' });
      expect(JSON.parse(run.event_payload).inputs).toEqual({ hapax_id: 't' });
      expect(faultsOf((await forgejo.ask('GET', `/runs/${id}/jobs`)).json[0], FORGEJO.ActionRunJob!)).toEqual([]);
    }
    expect((await forgejo.ask('POST', `/runs/${id}/cancel`)).status).toBe(204);
    expect((await forgejo.ask('POST', `/runs/${id}/rerun`)).status).toBe(404);
    const missing = await forgejo.ask('POST', '/workflows/missing.yml/dispatches', { ref: 'main' });
    expect(missing).toMatchObject({ status: 500, json: { message: '' } });
    expect((await forgejo.ask('POST', dispatches, {})).status).toBe(400);
  });
});

it.each([
  ['gitea', 'workflow_run', 3],
  ['forgejo', 'action_run_success', 1],
] as const)('%s signs its webhooks as GitHub does, and sends the headers of both', async (dialect, event, count) => {
  const receiver = await receive();
  const forge = await simulate(dialect);
  await forge.set({ queued_for_ms: 10, running_for_ms: 10, webhook: { url: receiver.url, secret: 's' } });
  await forge.ask('POST', '/workflows/build.yml/dispatches', { ref: 'main', inputs: { hapax_id: 't' } });
  await eventually(() => expect(receiver.deliveries).toHaveLength(count));
  const { headers, body } = receiver.deliveries.at(-1)!;
  const signature = createHmac('sha256', 's').update(body).digest('hex');
  expect(headers).toMatchObject({
    'x-github-event': event,
    [`x-${dialect}-event`]: event,
    'x-hub-signature-256': `sha256=${signature}`,
    [`x-${dialect}-signature`]: signature,
    'x-github-delivery': headers[`x-${dialect}-delivery`],
  });
});
