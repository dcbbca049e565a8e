import { expect, it, onTestFinished } from 'vitest';
import { Forge } from '../../src/integrations/forges/forge.ts';
import { simulate } from '../simulator/harness.ts';
import { type Asked, startStandIn } from '../world/http-stand-in.ts';

const HOUR_MS = 3_600_000;
const TOKEN = 'hapax-1-1-0123456789ab';
const sought = { workflow: 'build.yml', ref: 'main', tokens: [TOKEN], since: '' };
const client = (apiUrl: string) => new Forge({ apiUrl, auth: { token: 't' }, requestTimeoutMs: 5_000 });
const stranger = { repository: 'acme/images', display_title: 'Build by hand' };

it('a page that is short is not taken for the last one', async () => {
  const github = await simulate({ rate_limit: 1_000_000, short_pages: 3 });
  await github.control('POST', '/runs', { ...stranger, display_title: `Build [${TOKEN}]` });
  await github.control('POST', '/runs', { ...stranger, count: 250 });
  expect(await client(github.url).runs.find('acme/images', sought, 60_000)).toMatchObject({ kind: 'found' });
});

it.each([-HOUR_MS, HOUR_MS])(
  'a run that could be ours is seen where the clock of GitHub is %i ms off, and an old one is not',
  async (clock_off_ms) => {
    const github = await simulate({ clock_off_ms });
    const find = () => client(github.url).runs.find('acme/images', sought, 60_000);
    const old = new Date(Date.now() - HOUR_MS / 2).toISOString();
    await github.control('POST', '/runs', { ...stranger, created_at: old });
    expect(await find()).toEqual({ kind: 'absent' });
    await github.control('POST', '/runs', stranger);
    expect(await find()).toMatchObject({ kind: 'doubtful', candidates: [{}] });
  },
);

/** A GitHub of two servers; the first sends requests for acme/old to a place. */
async function moved(to: (other: string) => string, status: number) {
  const asked: Asked[] = [];
  const answer = (request: Asked, location?: string) => {
    asked.push(request);
    if (location !== undefined && request.url.pathname.startsWith('/repos/acme/old/')) {
      return {
        status,
        headers: { location: location + request.url.pathname.slice('/repos/acme/old'.length) },
        body: {},
      };
    }
    return { body: { workflow_run_id: 5, html_url: 'page', workflow_runs: [] } };
  };
  const other = await startStandIn((request) => answer(request));
  const github = await startStandIn((request) => answer(request, to(other.url)));
  onTestFinished(async () => {
    await Promise.all([github.close(), other.close()]);
  });
  const request = { repository: 'acme/old', workflow: 'build.yml', ref: 'main', inputs: { a: 'b' } };
  return { asked, outcome: await client(github.url).writes.dispatch(request, null) };
}

it.each([301, 302, 307, 308])(
  'a dispatch to a repository that was renamed goes where a %i sends it, as a POST with its body',
  async (status) => {
    const { asked, outcome } = await moved(() => '/repositories/7', status);
    expect(outcome).toMatchObject({ kind: 'accepted', run_id: 5 });
    expect(asked.map(({ method, url }) => `${method} ${url.pathname}`)).toEqual([
      'POST /repos/acme/old/actions/workflows/build.yml/dispatches',
      'POST /repositories/7/actions/workflows/build.yml/dispatches',
    ]);
    expect(JSON.parse(asked[1]!.body)).toMatchObject({ inputs: { a: 'b' } });
  },
);

it('a dispatch is not sent to another server, nor the credential with it', async () => {
  const { asked, outcome } = await moved((other) => `${other}/repositories/7`, 307);
  expect(outcome).toMatchObject({ kind: 'not_sent', reason: expect.stringMatching(/^GITHUB_API_URL: /) });
  expect(asked).toHaveLength(1);
});
