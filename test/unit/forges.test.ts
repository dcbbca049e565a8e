import { describe, expect, it } from 'vitest';
import { forgeCredentials, forgeWebhookSecrets } from '../../src/contracts/forges/forge-settings.ts';
import { readSettings } from '../../src/contracts/settings.ts';
import { attemptOf } from '../../src/domain/forges/attempt-of-jobs.ts';
import { inputsOfPayload, runOfForgejo } from '../../src/domain/forges/forgejo-run.ts';
import { giteaDialect } from '../../src/integrations/forges/dialects/gitea.ts';
import { Forge } from '../../src/integrations/forges/forge.ts';
import { Forges } from '../../src/integrations/forges/forges.ts';
import { runOfDelivery } from '../../src/integrations/forges/webhooks/webhook.ts';
import type { PacedRequests } from '../../src/integrations/forges/writes/paced-requests.ts';

describe('FORGE_CREDENTIALS', () => {
  it('is a name, a URL and the token in it', () => {
    const read = forgeCredentials.parse(
      'work=https://t0ken@git.example.com/api/v1/, ghe=https://x%40y@ghe.example.com:8443/api/v3',
    );
    expect([...read]).toEqual([
      ['work', { apiUrl: 'https://git.example.com/api/v1', token: 't0ken' }],
      ['ghe', { apiUrl: 'https://ghe.example.com:8443/api/v3', token: 'x@y' }],
    ]);
  });

  it.each([
    'https://SECRET@host/api/v1',
    'work=https://host/api/v1',
    'Work=https://SECRET@host/api/v1',
    'work=https://user:SECRET@host/api/v1',
    'work=ftp://SECRET@host',
    'work=https://SECRET@host/api?x=1',
    'work=https://SECRET@host/a,work=https://SECRET@host/b',
    'work=SECRET',
  ])('%s is refused, and the message holds no secret', (text) => {
    const { success, error } = forgeCredentials.safeParse(text);
    expect(success).toBe(false);
    expect(error!.issues[0]!.message).not.toContain('SECRET');
  });

  it('keeps two secrets of one webhook while it is replaced', () => {
    expect([...forgeWebhookSecrets.parse('work=secret-1,work=secret-2,other=secret-3')]).toEqual([
      ['work', ['secret-1', 'secret-2']],
      ['other', ['secret-3']],
    ]);
    expect(forgeWebhookSecrets.safeParse('work').success).toBe(false);
  });
});

describe('cloud mode on other forges alone', () => {
  const environment = {
    DEPLOYMENT_MODE: 'cloud',
    DATABASE_URL: 'postgres://u:p@127.0.0.1/d',
    TEMPORAL_ADDRESS: '127.0.0.1:7233',
    API_KEYS: 'a=0123456789abcdef',
  };

  it('needs no GitHub', () => {
    const credentials = 'work=https://t@git.example.com/api/v1';
    expect(readSettings({ ...environment, FORGE_CREDENTIALS: credentials }).FORGE_CREDENTIALS.size).toBe(1);
    expect(() => readSettings(environment)).toThrow('or FORGE_CREDENTIALS');
  });
});

describe('the attempt of a run that only its jobs count', () => {
  const job = (status: string, run_attempt: number) => ({ status, run_attempt });
  it.each([
    ['before it begins', [job('queued', 0)], 1],
    ['while it runs', [job('in_progress', 1)], 1],
    ['where one waits for another', [job('in_progress', 1), job('waiting', 0)], 1],
    ['as soon as it is run again', [job('queued', 1), job('queued', 1)], 3],
    ['of its failed job alone', [job('completed', 1), job('queued', 1)], 2],
    ['when that job is taken', [job('completed', 1), job('in_progress', 2)], 2],
    ['and has ended', [job('completed', 1), job('completed', 2)], 2],
    ['of another of its jobs alone', [job('queued', 1), job('completed', 2)], 3],
    ['without jobs', [], 1],
  ])('%s', (_, jobs, attempt) => {
    expect(attemptOf(jobs)).toBe(attempt);
  });
});

it("Gitea's jobs are all read, however few it lists at once", async () => {
  const job = (id: number, run_attempt: number) => ({ id, name: `job ${id}`, status: 'completed', run_attempt });
  const all = [job(1, 1), job(2, 1), job(3, 2)];
  const requests = {
    get: async (route: string, { page }: { page?: number }) => ({
      ...{ status: 200, headers: {} },
      body: route.endsWith('/jobs')
        ? { total_count: all.length, jobs: all.slice((page! - 1) * 2, page! * 2) }
        : { id: 7, html_url: 'u', status: 'completed', display_title: 't', event: 'e', path: 'p', started_at: '' },
    }),
  } as unknown as PacedRequests;
  const place = { repository: 'acme/images', run_id: 7 };
  expect(await giteaDialect.readRun(requests, place)).toMatchObject({ run_attempt: 2 });
});

describe("Forgejo's one word for the state of a run", () => {
  it.each([
    ['waiting', 'queued', null],
    ['blocked', 'waiting', null],
    ['running', 'in_progress', null],
    ['success', 'completed', 'success'],
    ['skipped', 'completed', 'skipped'],
    ['unknown', 'unknown', null],
    ['new-word', 'new-word', null],
  ])('%s', (word, status, conclusion) => {
    expect(runOfForgejo({ status: word })).toEqual({ status, conclusion });
  });

  it.each([
    ['{"inputs":{"a":"x","b":"hapax-1"}}', 'x hapax-1'],
    ['{"inputs":null}', ''],
    ['', ''],
    ['null', ''],
    ['[1', ''],
  ])('the inputs of %s', (payload, inputs) => {
    expect(inputsOfPayload(payload)).toBe(inputs);
  });
});

describe('a webhook', () => {
  const gitea = (status: string) =>
    JSON.stringify({ action: 'x', workflow_run: { id: 7, run_attempt: 0, display_title: 'Build [t]', status } });

  it('of Gitea says no attempt, so one about a run that goes on may be about another', () => {
    expect(runOfDelivery('workflow_run', gitea('in_progress'), 'work')).toEqual({
      run_id: 7,
      title: 'Build [t]',
      credential: 'work',
    });
    expect(runOfDelivery('workflow_run', gitea('completed'), 'work')).toEqual({
      ...{ run_id: 7, run_attempt: 0, title: 'Build [t]', credential: 'work' },
    });
  });

  it('of Forgejo has its token in the inputs', () => {
    const run = { id: 7, title: 'build', event_payload: '{"inputs":{"hapax_id":"t"}}' };
    expect(runOfDelivery('action_run_failure', JSON.stringify({ action: 'failure', run }), 'work')).toEqual({
      ...{ run_id: 7, run_attempt: 0, title: 'build t', credential: 'work' },
    });
    expect(runOfDelivery('push', JSON.stringify({ run }), 'work')).toBeUndefined();
  });
});

describe('the forges of an installation', () => {
  const github = new Forge({ apiUrl: 'http://127.0.0.1:1', auth: undefined, requestTimeoutMs: 1 });
  const credentials = new Map([['work', { apiUrl: 'http://127.0.0.1:1/api/v1', token: 't' }]]);
  const forges = new Forges(github, { credentials, requestTimeoutMs: 100, paceOf: () => undefined });

  it('are one for each credential and kind', () => {
    const place = { kind: 'gitea', api_url: 'http://127.0.0.1:1/api/v1', credential: 'work' } as const;
    expect(forges.of(undefined)).toBe(github);
    expect(forges.of(place)).toBe(forges.of({ ...place }));
    expect(forges.of(place)).not.toBe(forges.of({ ...place, kind: 'forgejo' }));
    expect(forges.of(place).capabilities).toBe(giteaDialect.capabilities);
  });

  it('send no token to a URL that is not the one of its credential', () => {
    const place = { kind: 'gitea', api_url: 'http://127.0.0.2:1/api/v1', credential: 'work' } as const;
    expect(() => forges.of(place)).toThrow('work leads to http://127.0.0.1:1/api/v1');
    expect(() => forges.of({ ...place, credential: 'gone' })).toThrow('FORGE_CREDENTIALS: has no gone');
  });
});
