import { createPrivateKey, generateKeyPairSync } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { readSettings } from '../../src/contracts/settings.ts';
import { environmentConfiguration } from '../../src/domain/builds/configuration.ts';

const pair = generateKeyPairSync('rsa', { modulusLength: 2048 });
const key = pair.privateKey.export({ type: 'pkcs1', format: 'pem' }) as string;
const wanted = createPrivateKey(key);
const app = (text: string) =>
  readSettings({ GITHUB_REPO: 'acme/images', GITHUB_APP_ID: '7', GITHUB_APP_PRIVATE_KEY: text });

describe('the settings of GitHub', () => {
  it.each([
    ['acme/images', 'acme/images'],
    ['acme/images/', 'acme/images'],
    [' acme/images\n', 'acme/images'],
    ['acme/images.git', 'acme/images'],
    ['https://github.com/acme/images', 'acme/images'],
    ['https://ghe.example.com/acme/images.git/', 'acme/images'],
    ['git@github.com:acme/images.git', 'acme/images'],
    ['ssh://git@github.com/acme/images.git', 'acme/images'],
    ['mona_acme/images', 'mona_acme/images'],
    ['acme/a.b_c-d', 'acme/a.b_c-d'],
  ])('take the repository %j', (given, repository) => {
    expect(readSettings({ GITHUB_REPO: given }).GITHUB_REPO).toBe(repository);
  });

  it.each([
    'images',
    'acme/..',
    'acme/images/tree/main',
    'https://github.com/acme/images?tab=readme',
    'https://github.com/acme',
    'acme/.git',
    'acme//images',
    'acme images',
  ])('refuse the repository %j in one line', (given) => {
    expect(() => readSettings({ GITHUB_REPO: given })).toThrow(/^GITHUB_REPO: must be OWNER\/NAME.*$/);
  });

  it.each([
    ['build.yml', 'build.yml'],
    ['my build [v2].yml', 'my build [v2].yml'],
    ['größe%20#1?.yaml', 'größe%20#1?.yaml'],
    ['.github/workflows/build.yml', 'build.yml'],
    ['161335', '161335'],
  ])('take the workflow %j', (given, workflow) => {
    const { GITHUB_WORKFLOW } = readSettings({ GITHUB_WORKFLOW: given });
    expect(environmentConfiguration('acme/images', GITHUB_WORKFLOW).workflow).toBe(workflow);
  });

  it.each(['Build', '../build.yml', 'ci/build.yml', '.github/workflows/ci/build.yml', 'build.yml ', '0', 'a\tb.yml'])(
    'refuse the workflow %j in one line',
    (given) => {
      expect(() => readSettings({ GITHUB_WORKFLOW: given })).toThrow(/^GITHUB_WORKFLOW: must be .*$/);
    },
  );

  it.each([
    ['as GitHub gives it', key],
    ['with escaped line ends', key.replaceAll('\n', '\\n')],
    ['with line ends of Windows', key.replaceAll('\n', '\r\n')],
    ['with spaces for line ends', key.replaceAll('\n', ' ')],
    ['in base64', Buffer.from(key).toString('base64')],
    [
      'in base64 with line ends',
      Buffer.from(key)
        .toString('base64')
        .replaceAll(/(.{76})/g, '$1\n'),
    ],
    ['as PKCS#8', pair.privateKey.export({ type: 'pkcs8', format: 'pem' }) as string],
  ])("take an app's key %s", (_, text) => {
    expect(createPrivateKey(app(text).GITHUB_APP_PRIVATE_KEY!).equals(wanted)).toBe(true);
  });

  it.each([
    '-----BEGIN RSA PRIVATE KEY-----',
    key.slice(0, 900),
    '/run/secrets/app.pem',
    Buffer.from('no key').toString('base64'),
    key.replaceAll('RSA PRIVATE', 'OPENSSH PRIVATE'),
  ])('refuse what is no whole key in one line that does not repeat it', (text) => {
    expect(() => app(text)).toThrow(/^GITHUB_APP_PRIVATE_KEY: [^M]*$/);
  });

  it('take a token without the line break of its file, and refuse what is more than a token', () => {
    expect(readSettings({ GITHUB_REPO: 'a/b', GITHUB_TOKEN: 'ghp_abc\n' }).GITHUB_TOKEN).toBe('ghp_abc');
    for (const text of ['Bearer ghp_abc', 'ghp_a\nghp_b', 'ghp_ä']) {
      expect(() => readSettings({ GITHUB_TOKEN: text })).toThrow(/^GITHUB_TOKEN: must be the token alone.*$/);
    }
  });

  it('take the client ID of an app', () => {
    const given = { GITHUB_REPO: 'a/b', GITHUB_APP_ID: 'Iv23liAbC', GITHUB_APP_PRIVATE_KEY: key };
    expect(readSettings(given).GITHUB_APP_ID).toBe('Iv23liAbC');
  });
});
