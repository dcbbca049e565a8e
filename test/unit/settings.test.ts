import { describe, expect, it } from 'vitest';
import { s3EndpointOf } from '../../src/contracts/content/content-settings.ts';
import { frontendsOf } from '../../src/contracts/setting-forms.ts';
import { misspeltSettings } from '../../src/contracts/setting-names.ts';
import { type Role, readSettings, SettingsError, settingsSchema } from '../../src/contracts/settings.ts';

const faultsOf = (environment: Record<string, string>, role: Role = 'up'): string[] => {
  try {
    readSettings(environment, role);
    return [];
  } catch (error) {
    expect(error).toBeInstanceOf(SettingsError);
    return (error as Error).message.split('\n');
  }
};

describe('settings', () => {
  it('need nothing on a laptop', () => {
    expect(readSettings({})).toMatchObject({
      DEPLOYMENT_MODE: 'laptop',
      HOST: '127.0.0.1',
      PORT: 8000,
      DEDUP_WINDOW: 300_000,
      BUILD_DEADLINE: 10_800_000,
    });
  });

  it.each([
    ['90', 90_000],
    ['500ms', 500],
    ['30s', 30_000],
    ['5m', 300_000],
    ['1.5h', 5_400_000],
  ])('read %s as a duration', (text, ms) => {
    expect(readSettings({ RECONCILE_WINDOW: text }).RECONCILE_WINDOW).toBe(ms);
  });

  it('report every fault, a line each that names the variable', () => {
    const faults = faultsOf({ PORT: 'http', DEDUP_WINDOW: 'soon', GITHUB_REPO: 'images', DATABASE_URL: 'mysql://x' });
    expect(faults.map((fault) => fault.split(':')[0])).toEqual(['PORT', 'DATABASE_URL', 'GITHUB_REPO', 'DEDUP_WINDOW']);
  });

  it('refuse to be open beyond loopback or in the cloud without keys', () => {
    expect(faultsOf({ HOST: '0.0.0.0' })).toEqual([expect.stringContaining('API_KEYS')]);
    expect(faultsOf({ HOST: '0.0.0.0', API_KEYS: 'ci=0123456789abcdef' })).toEqual([]);
    expect(faultsOf({ DEPLOYMENT_MODE: 'cloud' }).map((fault) => fault.split(':')[0])).toEqual([
      'DATABASE_URL',
      'TEMPORAL_ADDRESS',
      'API_KEYS',
      'GITHUB_REPO',
      'GITHUB_TOKEN',
    ]);
  });

  it('ask each role for what it needs and no more', () => {
    const needed = (role: Role, environment = {}) => faultsOf(environment, role).map((fault) => fault.split(':')[0]);
    expect(needed('api')).toEqual(['DATABASE_URL', 'TEMPORAL_ADDRESS']);
    expect(needed('api', { DEPLOYMENT_MODE: 'cloud' })).toEqual([
      'DATABASE_URL',
      'TEMPORAL_ADDRESS',
      'API_KEYS',
      'GITHUB_REPO',
    ]);
    expect(needed('worker', { DEPLOYMENT_MODE: 'cloud' })).toEqual([
      'DATABASE_URL',
      'TEMPORAL_ADDRESS',
      'GITHUB_TOKEN',
    ]);
    expect(needed('migrate', { DEPLOYMENT_MODE: 'cloud' })).toEqual(['DATABASE_URL']);
    for (const role of ['audit', 'rebuild'] as const) {
      expect(needed(role)).toEqual([]);
      expect(needed(role, { DEPLOYMENT_MODE: 'cloud' })).toEqual(['DATABASE_URL']);
    }
  });

  it('never repeat a secret in a fault', () => {
    const faults = faultsOf({ API_KEYS: 'ci=tooshort', DATABASE_URL: 'mysql://user:hunter2@host/db' });
    expect(faults).toHaveLength(2);
    expect(faults.join()).not.toMatch(/tooshort|hunter2/);
  });

  it.each([
    [{}, 'https://s3.us-east-1.amazonaws.com'],
    [{ S3_REGION: 'eu-central-1' }, 'https://s3.eu-central-1.amazonaws.com'],
    [{ S3_REGION: 'eu-central-1', S3_ENDPOINT: 'http://minio:9000' }, 'http://minio:9000'],
  ])('name the S3 server of a region: %j', (given, endpoint) => {
    expect(s3EndpointOf(readSettings(given))).toBe(endpoint);
  });

  const URLS = ['GITHUB_API_URL', 'YOUTUBE_API_URL', 'YOUTUBE_URL', 'OLLAMA_URL', 'S3_ENDPOINT'] as const;

  describe.each(URLS)('read %s as the root of an API', (name) => {
    it.each([
      ['http://host', 'http://host'],
      ['https://HOST:443//', 'https://host'],
      ['http://host:8080/a/b/', 'http://host:8080/a/b'],
      [' http://[::1]:8080 ', 'http://[::1]:8080'],
    ])('%s', (given, read) => {
      expect(readSettings({ [name]: given })[name]).toBe(read);
    });

    it.each([
      ['host:11434', 'must be an http'],
      ['ftp://host', 'must be an http'],
      ['http://', 'must be an http'],
      ['http://host:99999', 'must be an http'],
      ['http://host?key=hunter2', 'must end with its path'],
      ['http://host/a?', 'must end with its path'],
      ['http://host/#', 'must end with its path'],
      ['http://host:6000', 'must have another port'],
      ['http://host:0', 'must have another port'],
      ['http://us%er:hunter2@host', 'must have'],
      ['http://user:hunter2%ff@host', 'must have'],
      ['http://hunter2#@host', 'must'],
    ])('and not %s', (given, fault) => {
      const faults = faultsOf({ [name]: given });
      expect(faults).toEqual([expect.stringMatching(new RegExp(`^${name}: ${fault}`))]);
      expect(faults.join()).not.toContain('hunter2');
    });

    it('and its credentials, or not at all', () => {
      const faults = faultsOf({ [name]: 'http://user:p%40ss@host' });
      if (name === 'OLLAMA_URL') expect(faults).toEqual([]);
      else expect(faults).toEqual([`${name}: must have no user or password; they would not be used`]);
    });
  });

  it('refuse the ports that fetch refuses, and no other', async () => {
    for (const port of [22, 25, 2049, 6000, 6667, 10_080]) {
      const error = await fetch(`http://127.0.0.1:${port}`).catch((thrown) => thrown);
      expect(error.cause.message).toBe('bad port');
      expect(faultsOf({ OLLAMA_URL: `http://host:${port}` })).toHaveLength(1);
    }
    for (const port of [80, 443, 3000, 8080, 9000, 11_434]) {
      expect(faultsOf({ OLLAMA_URL: `http://host:${port}` })).toEqual([]);
    }
  });

  it.each([
    ['AMQP_URL', 'amqp://user:hunter2@host/%2f?heartbeat=5', undefined],
    ['AMQP_URL', 'amqp://user:hunter2@host//', undefined],
    ['AMQP_URL', 'amqp://user:hunter2#@host/', 'is no URL'],
    ['AMQP_URL', 'amqp://user:5#hunter2@host/', 'is no URL'],
    ['AMQP_URL', 'amqp://user:hunter2%@host/', 'is no URL'],
    ['AMQP_URL', 'amqp://host/?verify=hunter2', 'has an option that is not used'],
    ['RESULT_REDIS_URL', 'redis://:hunter2@host:6379/3', undefined],
    ['RESULT_REDIS_URL', 'rediss://host', undefined],
    ['RESULT_REDIS_URL', 'redis://:hunter2@host/name', 'must end with the number of a database'],
    ['RESULT_REDIS_URL', 'redis://:hunter2%@host/0', 'is no URL'],
    ['RESULT_REDIS_URL', 'redis://:hunter2@host/0?ssl_cert_reqs=none', 'has options'],
    ['RESULT_REDIS_URL', 'redis://host:0', 'is no URL'],
    ['DATABASE_URL', 'postgres://user:5#hunter2@host/db', 'is no URL'],
    ['DATABASE_URL', 'postgres://user:hunter2%ff@host/db', 'is no URL'],
  ])('take of %s what its client takes: %s', (name, url, fault) => {
    const faults = faultsOf({ [name]: url });
    expect(faults).toEqual(fault === undefined ? [] : [expect.stringMatching(new RegExp(`^${name}: ${fault}`))]);
    expect(faults.join()).not.toContain('hunter2');
  });

  it.each([
    'postgres://user:hunter2@host:99999/db',
    'postgres://user:hunter2#@host/db',
    'postgres://user:%hunter2@h/d',
  ])('refuse a DATABASE_URL that the driver would refuse with its password in the error (%s)', (DATABASE_URL) => {
    expect(faultsOf({ DATABASE_URL })).toEqual([expect.stringMatching(/^DATABASE_URL: is no URL(?!.*hunter2)/)]);
  });

  it('take several hosts of one database', () => {
    expect(faultsOf({ DATABASE_URL: 'postgres://user:pa%2Css@one:5432,two:5433/db?target_session_attrs=any' })).toEqual(
      [],
    );
  });

  it.each([
    ['TEMPORAL_ADDRESS', 'http://localhost:7233'],
    ['GITHUB_REPO', 'octocat/..'],
    ['GITHUB_APP_PRIVATE_KEY', '/etc/app.pem'],
    ['PORT', '65536'],
    ['API_KEYS', 'ci=0123456789abcdef,ci=fedcba9876543210'],
  ])('say of %s what it must be', (name, value) => {
    const faults = faultsOf({
      GITHUB_APP_ID: '1',
      GITHUB_APP_PRIVATE_KEY: '-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----',
      [name]: value,
    });
    expect(faults[0]).toMatch(new RegExp(`^${name}: (must be|names ci twice)`));
  });

  it.each([
    ['127.0.0.1:7233', [{ host: '127.0.0.1', port: 7233 }]],
    ['temporal', [{ host: 'temporal', port: 7233 }]],
    ['ns.acct.tmprl.cloud:443', [{ host: 'ns.acct.tmprl.cloud', port: 443 }]],
    [
      '[::1]:7233, 10.0.0.2:7234,third',
      [
        { host: '::1', port: 7233 },
        { host: '10.0.0.2', port: 7234 },
        { host: 'third', port: 7233 },
      ],
    ],
  ])('take %s for Temporal', (address, frontends) => {
    const read = readSettings({ TEMPORAL_ADDRESS: address }).TEMPORAL_ADDRESS;
    expect(read).toBe(address.replaceAll(' ', ''));
    expect(frontendsOf(read!)).toEqual(frontends);
  });

  it('take an empty variable for an unset one, but for the correlation input', () => {
    expect(readSettings({ GITHUB_TOKEN: '', PORT: '' }).PORT).toBe(8000);
    expect(readSettings({ GITHUB_CORRELATION_INPUT: '' }).GITHUB_CORRELATION_INPUT).toBe('');
  });

  it('read the hosts that callbacks may go to as URLs write them', () => {
    const hostsOf = (CALLBACK_ALLOWED_HOSTS: string) => readSettings({ CALLBACK_ALLOWED_HOSTS }).CALLBACK_ALLOWED_HOSTS;
    expect(hostsOf('LocalHost, n8n.internal,10.0.0.5,0x7f.1,::1,[FD00::0:1]')).toEqual([
      ...['localhost', 'n8n.internal', '10.0.0.5', '127.0.0.1', '::1', 'fd00::1'],
    ]);
    expect(readSettings({}).CALLBACK_ALLOWED_HOSTS).toEqual([]);
    for (const wrong of [
      'localhost:5678',
      'http://localhost',
      'a/b',
      'u@a',
      '10.0.0.0/8',
      '*.internal:1',
      '[::1]:80',
      'a b',
    ]) {
      expect(faultsOf({ CALLBACK_ALLOWED_HOSTS: wrong }), wrong).toEqual([expect.stringContaining('is not a host')]);
    }
  });

  it('take secrets of callbacks of 24 to 64 bytes, several while one is replaced', () => {
    const secret = (bytes: number) => `whsec_${Buffer.alloc(bytes, 7).toString('base64')}`;
    for (const bytes of [24, 25, 26, 64]) expect(faultsOf({ CALLBACK_SECRET: secret(bytes) })).toEqual([]);
    expect(readSettings({ CALLBACK_SECRET: `${secret(24)}, ${secret(32)}` }).CALLBACK_SECRET).toHaveLength(2);
    const unsound = [secret(23), secret(65), secret(24).slice(6), 'whsec_', 'whsec_####', `${secret(24)},short`];
    for (const wrong of unsound) {
      const faults = faultsOf({ CALLBACK_SECRET: wrong });
      expect(faults, wrong).toEqual([expect.stringMatching(/^CALLBACK_SECRET: must be whsec_/)]);
      expect(faults.join()).not.toContain(wrong.slice(6, 20) || 'never');
    }
  });

  it.each([
    [{ FLOWER_READ_ONLY: 'maybe' }, 'FLOWER_READ_ONLY: must be true or false'],
    [{ FLOWER_UNAUTHENTICATED_API: '2' }, 'FLOWER_UNAUTHENTICATED_API: must be true or false'],
    [{ FLOWER_BASIC_AUTH: 'a:1,a:2' }, 'FLOWER_BASIC_AUTH: names a twice; give each user a name of its own'],
    [{ FLOWER_URL_PREFIX: 'a/../b' }, 'FLOWER_URL_PREFIX: must be a path, for example flower'],
    [{ HOST: 'http://127.0.0.1' }, /^HOST: must be an address/],
    [{ HOST: '127.0.0.1:80' }, /^HOST: must be an address/],
    [{ TEMPORAL_ADDRESS: '127.0.0.1:99999' }, 'TEMPORAL_ADDRESS: must have a port from 1 to 65535'],
    [{ TEMPORAL_ADDRESS: '127.0.0.1:0' }, 'TEMPORAL_ADDRESS: must have a port from 1 to 65535'],
    [{ TEMPORAL_ADDRESS: '10.0.0.1:7233,10.0.0.2:0' }, 'TEMPORAL_ADDRESS: must have a port from 1 to 65535'],
    [{ TEMPORAL_ADDRESS: '10.0.0.1,http://10.0.0.2' }, /^TEMPORAL_ADDRESS: must be HOST:PORT, .* comma separated$/],
    [{ TEMPORAL_ADDRESS: 'one:7233,one:7233' }, 'TEMPORAL_ADDRESS: names one:7233 twice'],
    [
      { TEMPORAL_ADDRESS: Array.from({ length: 17 }, (_, n) => `10.0.0.${n}`).join() },
      'TEMPORAL_ADDRESS: must name at most 16 frontends',
    ],
    [{ TEMPORAL_ADDRESS: 'one', TEMPORAL_TLS_SERVER_NAME: 'temporal' }, /^TEMPORAL_TLS_SERVER_NAME: is for TLS; set/],
    [{ TEMPORAL_API_KEY: 'key' }, /^TEMPORAL_API_KEY: is for your own Temporal server/],
    [{ YOUTUBE_API_KEY: 'my key' }, /^YOUTUBE_API_KEY: must be printable ASCII/],
    [{ API_KEYS: 'ci=0123456789 abcdef' }, /^API_KEYS: must be NAME=SECRET/],
    [{ GITHUB_WEBHOOK_SECRET: ' , ' }, /^GITHUB_WEBHOOK_SECRET: names nothing/],
    [{ GITHUB_WEBHOOK_SECRET: '0123456789abcdef,b' }, /^GITHUB_WEBHOOK_SECRET: must have 8 characters or more in each/],
    [{ FORGE_WEBHOOK_SECRETS: 'a=0123456' }, /^FORGE_WEBHOOK_SECRETS: must be NAME=SECRET, .* 8 characters or more/],
    [{ FORGE_CREDENTIALS: 'work=https://tok%zz@host/api/v1' }, /^FORGE_CREDENTIALS: must be NAME=(?!.*zz)/],
    [{ CALLBACK_ALLOWED_HOSTS: '*.internal' }, /^CALLBACK_ALLOWED_HOSTS: "\*\.internal" .* whole/],
    [{ TRUSTED_HOSTS: '*' }, /^TRUSTED_HOSTS: "\*" is not a host; names are compared whole/],
    [{ TRUSTED_HOSTS: '.example.com' }, /^TRUSTED_HOSTS: "\.example\.com" is not a host; names are compared whole/],
    [{ CALLBACK_SECRET: ',' }, /^CALLBACK_SECRET: names nothing/],
    [{ TRUSTED_HOSTS: 'proxy:8443' }, /^TRUSTED_HOSTS: "proxy:8443" is not a host/],
    [{ GITHUB_REQUEST_TIMEOUT: '0' }, 'GITHUB_REQUEST_TIMEOUT: must be from 1ms to 1h'],
    [{ GITHUB_REQUEST_TIMEOUT: '30d' }, 'GITHUB_REQUEST_TIMEOUT: must be from 1ms to 1h'],
    [{ DEDUP_WINDOW: '99999999999d' }, 'DEDUP_WINDOW: must be from 0ms to 3650d'],
    [{ BUILD_DEADLINE: '0' }, /^BUILD_DEADLINE: must be from 1ms/],
    [{ RESULT_EXPIRES: '10ms' }, /^RESULT_EXPIRES: must be from 1s/],
    [{ PORT: '8000', FLOWER_PORT: '8000' }, 'FLOWER_PORT: is the same port as PORT; use another'],
    [{ RESULT_REDIS_URL: 'redis://h/0?ssl_cert_reqs=none' }, /^RESULT_REDIS_URL: has options after \?/],
    [{ RESULT_REDIS_URL: 'rediss://h/0?ssl_cert_reqs=maybe' }, /^RESULT_REDIS_URL: has an option after \?/],
    [{ LOG_LEVEL: 'loud' }, /^LOG_LEVEL: /],
    [{ DEPLOYMENT_MODE: 'Laptop' }, /^DEPLOYMENT_MODE: /],
  ])('refuse what could never work: %j', (environment, fault) => {
    expect(faultsOf(environment as Record<string, string>)).toEqual([
      typeof fault === 'string' ? fault : expect.stringMatching(fault),
    ]);
  });

  it.each([
    ['CHECKPOINT_DIR', '/srv/log'],
    ['CHECKPOINT_BUCKET', 'log'],
    ['CHECKPOINT_WITNESSES', `https://witness.example=witness+0123abcd+${Buffer.alloc(33).toString('base64')}`],
  ])('ask for the key of checkpoints where %s says where they go', (name, value) => {
    const cloud = {
      DEPLOYMENT_MODE: 'cloud',
      DATABASE_URL: 'postgres://host/hapax',
      TEMPORAL_ADDRESS: 'host',
      GITHUB_TOKEN: 'a-token',
      S3_ACCESS_KEY_ID: 'id',
      S3_SECRET_ACCESS_KEY: 'secret',
      [name]: value,
    };
    expect(faultsOf(cloud, 'worker')).toEqual([expect.stringMatching(/^CHECKPOINT_KEY: .*hapax audit key NAME/)]);
    const key = `PRIVATE+KEY+hapax.example+0123abcd+${Buffer.alloc(33).toString('base64')}`;
    expect(faultsOf({ ...cloud, CHECKPOINT_KEY: key }, 'worker')).toEqual([]);
    // A laptop has a key of its own, and other processes make no checkpoints.
    expect(faultsOf({ ...cloud, DEPLOYMENT_MODE: 'laptop', GITHUB_REPO: 'a/b' }, 'worker')).toEqual([]);
    expect(faultsOf({ ...cloud, WORKER_QUEUES: 'youtube' }, 'worker')).toEqual([]);
    expect(faultsOf(cloud, 'audit')).toEqual([]);
  });

  it('leave out the line end of a file that a value was read from', () => {
    const secrets = {
      SIGN_IN_ISSUER: 'https://id.example',
      SIGN_IN_CLIENT_ID: 'hapax',
      SIGN_IN_CLIENT_SECRET: 'a secret',
      SIGN_IN_RULES: '[{"claims":{"sub":"me"},"rights":["read"]}]',
      PUBLIC_URL: 'https://hapax.example',
      OIDC_RULES: '[{"issuer":"https://id.example","claims":{"sub":"ci"},"rights":["read"]}]',
      OIDC_AUDIENCE: 'hapax',
      S3_ACCESS_KEY_ID: 'id',
      S3_SECRET_ACCESS_KEY: 'secret',
      FLOWER_BASIC_AUTH: 'me:pass word',
      TEMPORAL_ADDRESS: 'host:7233',
      TEMPORAL_API_KEY: 'key',
      YOUTUBE_API_KEY: 'key',
    };
    const withLineEnds = Object.entries(secrets).map(([name, value], n) => [name, `${value}${n % 2 ? '\n' : '\r\n'}`]);
    expect(readSettings(Object.fromEntries(withLineEnds))).toEqual(readSettings(secrets));
    expect(readSettings({ GITHUB_TOKEN: '\n' }).GITHUB_TOKEN).toBeUndefined();
  });

  it('take the words of Flower, and what Celery has in its URL', () => {
    for (const yes of ['y', 'Yes', 't', 'TRUE', 'on', '1', ' true '])
      expect(readSettings({ FLOWER_READ_ONLY: yes }).FLOWER_READ_ONLY).toBe(true);
    for (const no of ['n', 'No', 'f', 'False', 'off', '0', ''])
      expect(readSettings({ FLOWER_READ_ONLY: no }).FLOWER_READ_ONLY).toBe(false);
    const url = 'rediss://:p%40ss@h:6380/2?ssl_cert_reqs=CERT_REQUIRED&ssl_ca_certs=/ca.pem';
    expect(readSettings({ RESULT_REDIS_URL: url }).RESULT_REDIS_URL).toBe(url);
    expect(readSettings({ FLOWER_PORT: '0', PORT: '0', TEMPORAL_PORT: '0' }).PORT).toBe(0);
    expect(readSettings({ TRUSTED_HOSTS: 'Proxy.example,[::1]' }).TRUSTED_HOSTS).toEqual(['proxy.example', '::1']);
  });
});

describe('a variable that looks like a setting', () => {
  const named = (environment: Record<string, string>) =>
    misspeltSettings(environment, Object.keys(settingsSchema.shape));

  it.each([
    ['FLOWERPORT', 'FLOWER_PORT'],
    ['flower_port', 'FLOWER_PORT'],
    ['FLOWER-PORT', 'FLOWER_PORT'],
    ['FLOWER_PROT', 'FLOWER_PORT'],
    ['FLOWER_READONLY', 'FLOWER_READ_ONLY'],
    ['GITHUB_REPOS', 'GITHUB_REPO'],
    ['CALLBACK_SECRETS', 'CALLBACK_SECRET'],
    ['HAPAX_PORT', 'PORT'],
    ['HAPAX_API_KEYS', 'API_KEYS'],
    ['AMQPURL', 'AMQP_URL'],
    ['RESULT_REDIS_URI', 'RESULT_REDIS_URL'],
    ['TASK_MAX_RETRYS', undefined],
  ])('is named, with what is meant: %s', (given, meant) => {
    const said = meant ? [`${given} is not a setting and has no effect; did you mean ${meant}?`] : [];
    expect(named({ [given]: '1' })).toEqual(said);
  });

  it('is named where only Hapax and Flower use such names', () => {
    expect(named({ FLOWER_AUTH: 'x', HAPAX_COLOUR: 'red' })).toEqual([
      'FLOWER_AUTH is not a setting of Hapax and has no effect; see docs/configuration.md',
      'HAPAX_COLOUR is not a setting of Hapax and has no effect; see docs/configuration.md',
    ]);
  });

  /** Of GitHub Actions, Temporal's CLI, Kubernetes, npm and shells. */
  const OTHERS =
    'GITHUB_REPOSITORY GITHUB_REPOSITORY_ID GITHUB_REF GITHUB_WORKFLOW_REF GITHUB_WORKFLOW_SHA GITHUB_SERVER_URL GITHUB_ACTIONS TEMPORAL_TLS TEMPORAL_CODEC_ENDPOINT TEMPORAL_TLS_CLIENT_CERT_PATH TEMPORAL_CONFIG_FILE FLOWER_SERVICE_HOST FLOWER_PORT_5555_TCP FLOWER_PORT_5555_TCP_ADDR HOME HOSTNAME PATH PWD npm_config_port npm_config_loglevel OLLAMA_HOST OLLAMA_MODELS AWS_REGION AMQP_HOST REDIS_URL'.split(
      ' ',
    );
  it('is not one of other programs', () => {
    expect(named(Object.fromEntries(OTHERS.map((name) => [name, '1'])))).toEqual([]);
    expect(named({ LOGLEVEL: 'debug', LOG_LEVEL: 'info' })).toEqual([]);
  });
});
