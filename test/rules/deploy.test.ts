import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Ajv } from 'ajv';
import { type Copy, DockerfileParser, type From, type Instruction } from 'dockerfile-ast';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import packageJson from '../../package.json' with { type: 'json' };
import { settingsOfChart } from '../../scripts/chart-schema.ts';
import { IMAGE_FILES, imagesIn, pinned } from '../../scripts/pin-images.ts';
import { readSettings, SettingsError, settingsSchema } from '../../src/contracts/settings.ts';
import { SECRETS_OF } from '../deploy/rules.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => readFileSync(join(ROOT, path), 'utf8');

interface Service {
  image?: string;
  user?: string;
  mem_limit?: string;
  command?: string[];
  restart?: string;
  environment?: Record<string, string>;
  ports?: string[];
  volumes?: string[];
  networks?: string[];
  tmpfs?: string[];
  read_only?: boolean;
  privileged?: boolean;
  cap_drop?: string[];
  security_opt?: string[];
  healthcheck?: { disable?: boolean; test?: string[] };
  depends_on?: Record<string, { condition: string }>;
}
interface Compose {
  services: Record<string, Service>;
  networks: Record<string, unknown>;
  volumes: Record<string, unknown>;
}

const SECRETS: ReadonlySet<string> = new Set(settingsOfChart().secrets);

/** What our rules find wrong with a compose file; the schema is checked apart from them. */
function composeFaults({ services, networks, volumes }: Compose): string[] {
  const faults: string[] = [];
  for (const [name, service] of Object.entries(services)) {
    const must = (holds: unknown, rule: string) => void (holds || faults.push(`${name}: ${rule}`));
    must(/:[^:/]*\d/.test(service.image ?? ''), 'pins the tag of its image');
    must(/^[1-9]\d*:[1-9]\d*$/.test(service.user ?? ''), 'runs as a user other than root');
    must(service.read_only === true, 'has a read-only file system');
    must(service.cap_drop?.includes('ALL'), 'drops all capabilities');
    must(service.security_opt?.includes('no-new-privileges:true'), 'gains no privileges');
    must(!service.privileged, 'is not privileged');
    must(/^\d+[mg]$/.test(service.mem_limit ?? ''), 'is cut off where it takes too much memory');
    must(
      (service.ports ?? []).every((port) => port.startsWith('127.0.0.1:')),
      'publishes on loopback only',
    );
    must(!(service.volumes ?? []).some((volume) => volume.includes('docker.sock')), 'does not see the Docker socket');
    must(service.healthcheck, 'has a healthcheck, or says that it has none');
    for (const [key, value] of Object.entries(service.environment ?? {})) {
      const needed =
        /PASSWORD|PWD|GITHUB_TOKEN|API_KEYS|DATABASE_URL|AMQP_URL/.test(key) && !key.startsWith('SURREALDB_');
      if (needed)
        must(/\$\{[A-Z_]+:?\?[^}]+\}/.test(value), `takes ${key} from the environment and says so where it is missing`);
      else if (SECRETS.has(key)) must(value === `\${${key}:-}`, `takes ${key} from the environment`);
    }
    for (const needed of Object.keys(service.depends_on ?? {}))
      must(services[needed], `depends on ${needed}, which exists`);
    for (const network of service.networks ?? []) must(network in networks, `joins ${network}, which exists`);
    for (const volume of service.volumes ?? []) {
      const [source = '', target, mode] = volume.split(':');
      if (target === undefined) must(source.startsWith('/'), `has a volume without a name at ${source}`);
      else if (source.startsWith('.'))
        must(existsSync(join(ROOT, source)) && mode === 'ro', `mounts ${source} read-only, and it exists`);
      else must(source in volumes, `uses the volume ${source}, which exists`);
    }
  }
  return faults;
}

describe('docker-compose.yml and the file for the bridge beside it', () => {
  const text = read('docker-compose.yml');
  const bridge = read('deploy/docker-compose.bridge.yml');
  const compose = parse(text, { merge: true }) as Compose;
  const { services } = compose;
  Object.assign(services, (parse(bridge) as Compose).services);

  it('is valid by the schema of the Compose specification', () => {
    // dclint ships the specification's schema; the linter itself is not used. The schema names its draft in a way Ajv
    // does not know, but keeps to draft 7, which is Ajv's own.
    const path = join(
      dirname(createRequire(import.meta.url).resolve('dclint/package.json')),
      'schemas/compose.schema.json',
    );
    const { $schema: _, ...schema } = JSON.parse(readFileSync(path, 'utf8'));
    const valid = new Ajv({ strict: false, validateFormats: false }).compile(schema);
    expect(valid(compose), JSON.stringify(valid.errors)).toBe(true);
    expect(valid({ services: { api: { image: 'x', port: ['1:1'] } } })).toBe(false);
  });

  it('runs every service with no more rights than it needs', () => {
    expect(composeFaults(compose)).toEqual([]);
  });

  it('would be refused with each of these weakened', () => {
    const weakened: Array<[string, Partial<Service>]> = [
      ['pins', { image: 'docker.io/temporalio/server:latest' }],
      ['pins', { image: 'postgres' }],
      ['other than root', { user: '0:0' }],
      ['read-only', { read_only: false }],
      ['capabilities', { cap_drop: [] }],
      ['privileges', { security_opt: [] }],
      ['memory', { mem_limit: '' }],
      ['loopback', { ports: ['8000:8000'] }],
      ['loopback', { ports: ['0.0.0.0:8000:8000'] }],
      ['GITHUB_TOKEN', { environment: { GITHUB_TOKEN: 'ghp_written_down' } }],
      ['SIGN_IN_CLIENT_SECRET', { environment: { SIGN_IN_CLIENT_SECRET: 'written-down' } }],
      // biome-ignore lint/suspicious/noTemplateCurlyInString: Compose's own syntax.
      ['API_KEYS', { environment: { API_KEYS: '${API_KEYS:-}' } }],
      ['exists', { depends_on: { nobody: { condition: 'service_started' } } }],
    ];
    for (const [rule, change] of weakened) {
      const api = { ...services.api, ...change };
      expect(composeFaults({ ...compose, services: { ...services, api } }).join('\n')).toContain(rule);
    }
  });

  it('keeps databases and Temporal off the networks that lead outside', () => {
    for (const name of ['postgres', 'temporal', 'temporal-schema', 'temporal-namespace', 'migrate']) {
      for (const network of services[name]?.networks ?? [])
        expect(compose.networks[network], name).toEqual({ internal: true });
    }
  });

  /** The environment of a service where all that it asks for is set. */
  const filled = (name: string) =>
    Object.fromEntries(
      Object.entries(services[name]?.environment ?? {}).map(([key, value]) => [key, interpolate(value, FILLED)]),
    );

  it('gives each role settings that it starts with', () => {
    for (const name of ['api', 'worker', 'bridge', 'migrate'] as const) {
      const environment = services[name]?.environment ?? {};
      for (const key of Object.keys(environment)) expect(settingsSchema.shape, `${name}: ${key}`).toHaveProperty(key);
      expect(() => readSettings(filled(name), name), name).not.toThrow();
    }
    const worker = services.worker ?? {};
    expect(worker.healthcheck?.test?.join(' ')).toContain(`:${worker.environment?.METRICS_PORT}/health/live`);
    expect(readSettings(filled('worker'), 'worker')).toMatchObject({ HOST: '0.0.0.0', METRICS_PORT: 9464 });
    expect(services.api?.environment?.DEPLOYMENT_MODE).toBe('cloud');
    const { API_KEYS: _, ...without } = services.api?.environment ?? {};
    expect(() => readSettings(without)).toThrow(SettingsError);
  });

  it.each(['api', 'worker', 'bridge'] as const)(
    'hands on each setting that the %s uses, and only its secrets',
    (name) => {
      const isOwn = (setting: string) =>
        SECRETS.has(setting)
          ? SECRETS_OF[name].includes(setting)
          : !SET_BY_COMPOSE.test(setting) && !NOT_USED_BY[name].test(setting);
      const environment = Object.entries(services[name]?.environment ?? {}).filter(
        ([key]) => !SET_BY_COMPOSE.test(key),
      );
      const expected = Object.keys(settingsSchema.shape).filter((key) => !SET_BY_COMPOSE.test(key) && isOwn(key));
      expect(environment.map(([key]) => key).sort()).toEqual(expected.sort());
      for (const [key, value] of environment)
        expect(value).toMatch(new RegExp(`^\\$\\{${key}(:-|:?\\?[^}]+|-hapax_id)\\}$`));
      // Only there, empty means something else than not set.
      expect(environment.filter(([, value]) => value.includes('-hapax_id')).map(([key]) => key)).toEqual([
        'GITHUB_CORRELATION_INPUT',
      ]);
    },
  );

  it('has each variable that it requires in .env.example, and secrets that it can do without as comments', () => {
    const variables = (source: string, pattern: RegExp) =>
      new Set([...source.matchAll(pattern)].map(([, name]) => name));
    const example = read('.env.example');
    expect(variables(example, /^([A-Z_]+)=/gm)).toEqual(variables(text, /\$\{([A-Z_]+):?\?/g));
    const known = variables(text + bridge, /\$\{([A-Z0-9_]+)[:?]/g);
    for (const name of variables(example, /^# ([A-Z0-9_]+)=$/gm)) expect(known).toContain(name);
  });

  it('hands on what an operator sets for webhooks and callbacks', () => {
    expect(readSettings(filled('api'), 'api')).toMatchObject({ GITHUB_WEBHOOK_SECRET: ['old-secret', 'new-secret'] });
    for (const name of ['api', 'worker', 'bridge'] as const) {
      expect(readSettings(filled(name), name).CALLBACK_ALLOWED_HOSTS, name).toEqual(['n8n']);
    }
  });

  it('gives workers a place for what is brought in, which the user of the image may write to', () => {
    const home = services.worker?.environment?.HAPAX_HOME;
    expect(services.worker?.volumes).toContain(`content:${home}`);
    expect(read('deploy/Dockerfile')).toContain(
      `--owner=${services.worker?.user?.split(':')[0]} --group=1000 --mode=0700 ${home}\n`,
    );
    const bucket = {
      S3_BUCKET: 'b',
      S3_ACCESS_KEY_ID: 'k',
      S3_SECRET_ACCESS_KEY: 's',
      S3_ENDPOINT: 'http://minio:9000',
    };
    const environment = services.worker?.environment ?? {};
    const kept = Object.entries(environment).map(([key, value]) => [key, interpolate(value, { ...FILLED, ...bucket })]);
    expect(readSettings(Object.fromEntries(kept), 'worker')).toMatchObject(bucket);
  });

  it('waits for what a service needs: schema, then server, then namespace, then migrations', () => {
    expect(services.temporal?.depends_on).toEqual({
      'temporal-schema': { condition: 'service_completed_successfully' },
    });
    expect(services.migrate?.depends_on).toHaveProperty(
      'temporal-namespace.condition',
      'service_completed_successfully',
    );
    for (const name of ['api', 'worker', 'bridge']) {
      expect(services[name]?.depends_on).toEqual({ migrate: { condition: 'service_completed_successfully' } });
    }
  });
});

/** What the files set themselves: for their own Postgres and Temporal, and ports. What is only for `hapax up` or for versions of workers. */
const SET_BY_COMPOSE =
  /^(DEPLOYMENT_MODE|HOST|PORT|METRICS_PORT|FLOWER_PORT|HAPAX_HOME|HAPAX_ENV_FILE|DATABASE_(URL|ROLE)|TEMPORAL_(?!CODEC_KEYS|UI_URL)\w+)$/;
const NOT_USED_BY = {
  api: /^(S3|CHECKPOINT|RESULT|WORKER)_|^HAPAX_TASKS$/,
  worker: /^RESULT_/,
  bridge: new RegExp(
    [
      '^(S3|CHECKPOINT|WORKER|EMBEDDING|SUMMARY|SURREALDB|OIDC|SIGN_IN|FLOWER|YOUTUBE|KEEP)_',
      '^(HAPAX_TASKS|CONTENT_STORE|(INGEST|TASK)_ALLOWED_HOSTS|PUBLIC_URL|CONSOLE_READ_ONLY|TEMPORAL_UI_URL|QUEUE_ENABLED)$',
      '^(GITHUB_(APP_ID|REPO|WORKFLOW|ATTESTATION_ROOTS)|REPOSITORIES_ALLOWED)$',
    ].join('|'),
  ),
};

const FILLED: Record<string, string> = {
  API_KEYS: 'ci=0123456789abcdef',
  GITHUB_REPO: 'octocat/fedora-images',
  GITHUB_TOKEN: 'a-token',
  HAPAX_RUNTIME_PASSWORD: 'aa',
  HAPAX_OWNER_PASSWORD: 'bb',
  AMQP_URL: 'amqp://a:b@rabbitmq:5672/%2F',
  GITHUB_WEBHOOK_SECRET: 'old-secret,new-secret',
  CALLBACK_ALLOWED_HOSTS: 'n8n',
};

/** Compose's `${NAME:?message}`, `${NAME?message}`, `${NAME:-default}` and `${NAME-default}`. */
function interpolate(value: string, environment: Record<string, string>): string {
  return value.replaceAll(
    /\$\{([A-Z0-9_]+)(?:(:[-?]|[-?])([^}]*))?\}/g,
    (_, name: string, operator: string, word: string) => {
      if (environment[name] || (!operator?.startsWith(':') && name in environment)) return environment[name] ?? '';
      if (operator?.endsWith('?')) throw new Error(`${name}: ${word}`);
      return word ?? '';
    },
  );
}

/** What our rules find wrong with a Dockerfile. */
function dockerfileFaults(text: string): string[] {
  const dockerfile = DockerfileParser.parse(text);
  const instructions = dockerfile.getInstructions();
  const of = <Kind extends Instruction>(keyword: string) =>
    instructions.filter((one) => one.getKeyword() === keyword) as Kind[];
  const faults: string[] = [];
  const must = (holds: unknown, rule: string) => void (holds || faults.push(rule));
  const stages = of<From>('FROM');
  const names = stages.map((stage) => stage.getBuildStage());
  for (const stage of stages) {
    const tag = stage.getImageTag() ?? '';
    must(/^\d+\.\d+\.\d+/.test(tag), `pins its base image: ${stage.getImage()}`);
    must(/bookworm|trixie/.test(tag) && !/alpine/.test(tag), `builds on Debian: ${stage.getImage()}`);
    must(tag.startsWith(`${packageJson.dependencies.node}-`), `runs the Node that is tested: ${stage.getImage()}`);
  }
  for (const copy of of<Copy>('COPY')) {
    const from = copy.getFromFlag()?.getValue();
    const sources = copy
      .getArguments()
      .slice(0, -1)
      .map((argument) => argument.getValue());
    if (from) must(names.includes(from), `copies from a stage that exists: ${from}`);
    else for (const source of sources) must(existsSync(join(ROOT, source)), `copies a file that exists: ${source}`);
  }
  const finalStage = stages.at(-1)?.getRange().start.line ?? 0;
  const users = of('USER').filter((user) => user.getRange().start.line > finalStage);
  must(
    /^[1-9]\d*(:[1-9]\d*)?$/.test(users.at(-1)?.getArguments()[0]?.getValue() ?? ''),
    'ends with a user other than root, as a number',
  );
  must(of('HEALTHCHECK').length === 1, 'has a healthcheck');
  must(of('ENTRYPOINT').length === 1 && /ENTRYPOINT \["/.test(text), 'starts without a shell, so that signals arrive');
  must(of('ADD').length === 0, 'copies, and never adds');
  must(!/npm (install|i)\b/.test(text), 'installs what the lock file says');
  return faults;
}

describe('deploy/Dockerfile', () => {
  const text = read('deploy/Dockerfile');

  it('holds our rules', () => {
    expect(dockerfileFaults(text)).toEqual([]);
  });

  it('would be refused with each of these weakened', () => {
    const weakened: Array<[string, string]> = [
      ['pins', text.replaceAll(/node:[\d.]+-bookworm-slim/g, 'node:latest')],
      ['Debian', text.replaceAll('bookworm-slim', 'alpine')],
      ['the Node that is tested', text.replaceAll(/node:[\d.]+/g, 'node:22.0.0')],
      ['other than root', text.replace(/^USER .*$/m, 'USER root')],
      ['other than root', text.replace(/^USER .*$/m, '')],
      ['file that exists', text.replace('COPY src src', 'COPY sources src')],
      ['stage that exists', text.replace('--from=build', '--from=builder')],
      ['lock file', text.replace('npm ci', 'npm install')],
      ['shell', text.replace('ENTRYPOINT ["node", "bin/hapax.js"]', 'ENTRYPOINT node bin/hapax.js')],
    ];
    for (const [rule, weaker] of weakened) expect(dockerfileFaults(weaker).join('\n')).toContain(rule);
  });

  it('gets all that it copies past .dockerignore', () => {
    const allowed = read('.dockerignore')
      .split('\n')
      .filter((line) => line.startsWith('!'))
      .map((line) => line.slice(1));
    const copied = [...text.matchAll(/^COPY (?!--from)(.+)$/gm)].flatMap(([, list = '']) =>
      list.split(' ').slice(0, -1),
    );
    expect(new Set(copied)).toEqual(new Set(allowed));
  });
});

describe('the images of others (scripts/pin-images.ts)', () => {
  const digest = `sha256:${'0f'.repeat(32)}`;
  const references = IMAGE_FILES.flatMap((file) => imagesIn(read(file)).map(({ reference }) => reference));

  it('are all found', () => {
    const images = references.map((reference) => reference.split(':')[0]);
    const names = ['library/node', 'library/postgres', 'temporalio/admin-tools', 'temporalio/server', 'temporalio/ui'];
    expect([...new Set(images)].sort()).toEqual(names.map((name) => `docker.io/${name}`));
    const services = Object.values((parse(read('docker-compose.yml'), { merge: true }) as Compose).services);
    const named = services
      .map(({ image = '' }) => image.split('@')[0] ?? '')
      .filter((image) => !image.startsWith('hapax:'));
    // One version of each, wherever it is named.
    const version = (reference: string) => reference.replace(/-slim$/, '');
    expect(new Set(references.map(version))).toEqual(new Set([...named, references[0]!].map(version)));
  });

  it('can be named by digest, in files that our rules accept', () => {
    const digests = new Map(references.map((reference) => [reference, digest]));
    for (const file of IMAGE_FILES) {
      const text = pinned(read(file), digests);
      expect(imagesIn(text).map((image) => image.digest)).toEqual(imagesIn(text).map(() => digest));
      expect(pinned(text, digests)).toBe(text);
      if (file.endsWith('Dockerfile')) expect(dockerfileFaults(text)).toEqual([]);
      else if (file === 'docker-compose.yml') expect(composeFaults(parse(text, { merge: true }))).toEqual([]);
    }
  });
});
