import { afterEach, beforeEach, expect, it } from 'vitest';
import { readSettings } from '../../src/contracts/settings.ts';
import { connectGitHub } from '../../src/processes/github.ts';
import { type GitHubWatch, watchGitHub } from '../../src/processes/github-watch.ts';
import { eventually } from '../world/eventually.ts';
import { startStandIn } from '../world/http-stand-in.ts';

type Answers = Record<string, [number, object | string]>;
const REPOSITORY: Answers = { '/repos/acme/images': [200, { full_name: 'acme/images', permissions: { push: true } }] };
const WORKFLOW: Answers = { '/repos/acme/images/actions/workflows/build.yml': [200, { state: 'active' }] };
const NOT_FOUND: [number, object] = [404, { message: 'Not Found' }];

let standIn: Awaited<ReturnType<typeof startStandIn>>;
let answers: Answers;
let asked: string[];
let said: string[];
let watch: GitHubWatch | undefined;

beforeEach(async () => {
  asked = [];
  said = [];
  standIn = await startStandIn(({ url }) => {
    asked.push(url.pathname);
    const [status, body] = answers[url.pathname] ?? NOT_FOUND;
    return { status, body };
  });
});
afterEach(async () => {
  await watch?.stop();
  await standIn.close();
});

function begin(): GitHubWatch {
  const settings = readSettings({
    GITHUB_TOKEN: 'ghp_secret',
    GITHUB_REPO: 'acme/images',
    GITHUB_API_URL: `${standIn.url}/`,
  });
  watch = watchGitHub({
    settings,
    github: connectGitHub(settings),
    say: (line) => said.push(line),
    pauses: { pingMs: 10, awayMs: 10, settingsMs: 10, faultyMs: 10 },
  });
  return watch;
}

it.each<[string, Answers, RegExp]>([
  ['a token', { '/repos/acme/images': [401, { message: 'Bad credentials' }] }, /^GITHUB_TOKEN: .*401: Bad credentials/],
  ['a repository', { '/repos/acme/images': NOT_FOUND }, /^GITHUB_REPO: .*acme\/images.*404/],
  ['a workflow', REPOSITORY, /^GITHUB_WORKFLOW: .*build\.yml.*404/],
  [
    'a workflow that is disabled',
    { ...REPOSITORY, '/repos/acme/images/actions/workflows/build.yml': [200, { state: 'disabled_manually' }] },
    /^GITHUB_WORKFLOW: .*disabled_manually/,
  ],
  [
    'a token that may only read',
    { '/repos/acme/images': [200, { full_name: 'acme/images', permissions: { push: false } }] },
    /^GITHUB_TOKEN: lacks a right on acme\/images/,
  ],
  ['a URL of a web page', { '/repos/acme/images': [200, '<html>GitHub</html>'] }, /^GITHUB_API_URL: .*api\/v3/],
])('%s that is wrong is said once, in one line that names the setting, until it is mended', async (_, wrong, line) => {
  answers = wrong;
  const { check } = begin();
  await expect(check()).rejects.toThrow(line);
  const before = asked.length;
  await eventually(async () => expect(asked.length).toBeGreaterThan(before + 3));
  expect(said).toEqual([expect.stringMatching(line)]);
  expect(said[0]).not.toMatch(/\n|ghp_secret/);
  answers = { ...REPOSITORY, ...WORKFLOW, '/rate_limit': [200, {}] };
  await eventually(check);
  expect(said.at(-1)).toContain('accepts the credential');
});

it('takes one read of the repository and one of the workflow', async () => {
  answers = { ...REPOSITORY, ...WORKFLOW, '/rate_limit': [200, {}] };
  await begin().check();
  expect(asked.slice(0, 2)).toEqual([...Object.keys(REPOSITORY), ...Object.keys(WORKFLOW)]);
  expect(said).toEqual([]);
});

it('says where the repository has another name by now, and is well', async () => {
  answers = { '/repos/acme/images': [200, { full_name: 'acme/pictures' }], ...WORKFLOW, '/rate_limit': [200, {}] };
  await begin().check();
  expect(said).toEqual([expect.stringMatching(/^GITHUB_REPO: acme\/images is now called acme\/pictures/)]);
});

it('says of a GitHub that is away nothing about the settings', async () => {
  answers = { '/repos/acme/images': [503, {}], '/rate_limit': [503, {}] };
  await expect(begin().check()).rejects.toThrow('GitHub answered 503');
  expect(said).toEqual([]);
});
