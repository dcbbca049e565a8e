import { globSync, readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import packageJson from '../../package.json' with { type: 'json' };
import { readSettings, settingsSchema } from '../../src/contracts/settings.ts';
import { SECRETS } from './samples.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FOLDER = 'deploy/podman';
const read = (path: string) => readFileSync(`${ROOT}${path}`, 'utf8');

/** The keys of a [Container] that we use; Podman 5.0 knows all of them, and refuses a file with another. */
const KEYS = new Set(
  `ContainerName DropCapability Entrypoint Environment EnvironmentFile Exec HealthCmd HealthInterval HealthRetries HealthStartPeriod
  HealthTimeout Image Network NoNewPrivileges Notify PodmanArgs PublishPort ReadOnly Secret ShmSize StopTimeout Tmpfs User Volume`.split(
    /\s+/,
  ),
);

/** A unit: section -> key -> values. */
type Unit = Record<string, Record<string, string[]>>;

function readUnit(path: string): Unit {
  const unit: Unit = {};
  let section: Record<string, string[]> = {};
  for (const line of read(path).split('\n')) {
    const [, name] = /^\[(.+)\]$/.exec(line) ?? [];
    const [, key = '', value = ''] = /^(\w+)=(.*)$/.exec(line) ?? [];
    if (name) section = unit[name] = {};
    else if (key) section[key] = [...(section[key] ?? []), value];
    else if (line !== '' && !line.startsWith('#')) throw new Error(`${path}: "${line}" is no line of a unit`);
  }
  return unit;
}

const files = globSync(`${FOLDER}/*`, { cwd: ROOT }).map((path) => basename(path));
const units = new Map(
  files
    .filter((name) => name.endsWith('.container'))
    .map((name) => [name.replace(/\.container$/, ''), readUnit(`${FOLDER}/${name}`)]),
);

/** What a container is started with, where the secrets have these values. */
function environmentOf({ Container = {} }: Unit): Record<string, string> {
  const own = (Container.Environment ?? []).flatMap((line) => line.split(' ')).map((pair) => pair.split(/=(.*)/s));
  const fromFile = Container.EnvironmentFile
    ? read(`${FOLDER}/${Container.EnvironmentFile[0]}`)
        .split('\n')
        .filter((line) => /^\w+=/.test(line))
        .map((line) => line.split(/=(.*)/s))
    : [];
  const secret = (Container.Secret ?? []).map((line) => {
    const [, target = ''] = /,type=env,target=(\w+)$/.exec(line) ?? [];
    return [target, SECRETS[target] ?? 'x'];
  });
  return Object.fromEntries([...fromFile, ...own, ...secret]);
}

/** What our rules find wrong with a unit. */
function faultsOf(name: string, { Unit = {}, Container = {}, Service = {} }: Unit): string[] {
  const faults: string[] = [];
  const must = (holds: unknown, rule: string) => void (holds || faults.push(`${name}: ${rule}`));
  const [image = ''] = Container.Image ?? [];
  must(
    /^(docker\.io|localhost)\/[\w/-]+:\d+\.\d+[\w.-]*(@sha256:[0-9a-f]{64})?$/.test(image),
    'names its image in full, with its version',
  );
  must(/^[1-9]\d*:[1-9]\d*$/.test(Container.User?.[0] ?? ''), 'runs as a user other than root');
  must(Container.ReadOnly?.[0] === 'true', 'has a read-only file system');
  must(Container.DropCapability?.[0] === 'all', 'drops all capabilities');
  must(Container.NoNewPrivileges?.[0] === 'true', 'gains no privileges');
  must(
    Container.PodmanArgs?.some((one) => /^--memory \d+[mg]$/.test(one)),
    'is cut off where it takes too much memory',
  );
  must(
    (Container.PublishPort ?? []).every((port) => port.startsWith('127.0.0.1:')),
    'publishes on loopback only',
  );
  must(Service.Type?.[0] === 'oneshot' || Container.HealthCmd, 'has a healthcheck');
  for (const key of Object.keys(Container)) must(KEYS.has(key), `has no key ${key}`);
  for (const key of Object.keys(environmentOf({ Container: { Environment: Container.Environment ?? [] } })))
    must(!/PASSWORD|PWD|TOKEN|API_KEYS|DATABASE_URL|AMQP_URL/.test(key), `takes ${key} from a secret`);
  for (const network of Container.Network ?? []) must(files.includes(network), `joins ${network}, which exists`);
  for (const volume of Container.Volume ?? []) {
    const [source = '', target] = volume.split(':');
    if (source.endsWith('.volume')) must(files.includes(source), `mounts ${source}, which exists`);
    else must(target === undefined || /:ro,Z$/.test(volume), `mounts ${source} read-only`);
  }
  for (const needed of Unit.Requires ?? []) {
    must(units.has(needed.replace(/\.service$/, '')), `needs ${needed}, which exists`);
    must(Unit.After?.includes(needed), `starts after ${needed}`);
  }
  return faults;
}

describe('deploy/podman', () => {
  it('runs every container with no more rights than it needs', () => {
    expect([...units].flatMap(([name, unit]) => faultsOf(name, unit))).toEqual([]);
    const api = units.get('hapax-api')!;
    const weaker = {
      ...api,
      Container: { ...api.Container, Image: ['hapax:latest'], PublishPort: ['8000:8000'], Memory: ['1g'] },
    };
    expect(faultsOf('hapax-api', weaker)).toHaveLength(3);
  });

  it('keeps databases and Temporal off the network that leads outside', () => {
    expect(readUnit(`${FOLDER}/hapax-inside.network`).Network?.Internal).toEqual(['true']);
    const outside = [...units].filter(([, { Container }]) => Container?.Network?.includes('hapax.network'));
    expect(outside.map(([name]) => name).sort()).toEqual(['hapax-api', 'hapax-bridge', 'hapax-worker']);
  });

  it('gives each role settings that it starts with', () => {
    for (const role of ['api', 'worker', 'bridge', 'migrate'] as const) {
      const unit = units.get(`hapax-${role}`)!;
      expect(unit.Container?.Exec).toEqual([role === 'migrate' ? role : `serve ${role}`]);
      const environment = environmentOf(unit);
      for (const key of Object.keys(environment)) expect(settingsSchema.shape, `${role}: ${key}`).toHaveProperty(key);
      expect(() => readSettings(environment, role), role).not.toThrow();
      const port = environment[role === 'api' ? 'PORT' : 'METRICS_PORT'];
      if (role !== 'migrate') expect(unit.Container?.HealthCmd?.[0]).toContain(`http://127.0.0.1:${port}/health/`);
    }
  });

  it('has the images of docker-compose.yml, and of this version', () => {
    const { services } = parse(read('docker-compose.yml'), { merge: true }) as {
      services: Record<string, { image: string }>;
    };
    const composed = new Set(Object.values(services).map(({ image }) => image));
    for (const [name, { Container }] of units) {
      const image = Container!.Image![0]!;
      if (image.startsWith('localhost/')) expect(image).toBe(`localhost/hapax:${packageJson.version}`);
      else expect(composed, name).toContain(image);
    }
  });

  it('starts each after what it needs: schema, server, namespace, migrations', () => {
    const needs = Object.fromEntries([...units].map(([name, { Unit }]) => [name, Unit?.Requires]));
    expect(needs).toMatchObject({
      'hapax-temporal-schema': ['hapax-postgres.service'],
      'hapax-temporal': ['hapax-temporal-schema.service'],
      'hapax-temporal-namespace': ['hapax-temporal.service'],
      'hapax-migrate': ['hapax-temporal-namespace.service'],
      'hapax-api': ['hapax-migrate.service'],
      'hapax-worker': ['hapax-migrate.service'],
      'hapax-bridge': ['hapax-migrate.service'],
    });
  });

  it('is what docs/podman.md has people make secrets for', () => {
    const used = [...units.values()]
      .flatMap(({ Container }) => Container?.Secret ?? [])
      .map((line) => line.split(',')[0]);
    const made = [...read('docs/podman.md').matchAll(/^ *(?:.* \| )?podman secret create (\S+)/gm)].map(
      ([, name]) => name,
    );
    expect([...new Set(made)].sort()).toEqual([...new Set(used)].sort());
  });
});
