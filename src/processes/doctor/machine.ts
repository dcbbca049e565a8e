import { accessSync, constants, existsSync, statfsSync, statSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import type { Check } from '../../contracts/check.ts';
import { faultOfHome } from '../../laptop/home.ts';
import { assertPortFree } from '../../laptop/ports.ts';
import { fault, note, ok } from './findings.ts';
import { type Patient, urlAt } from './patient.ts';

const LEAST_BYTES = 1e9;
const FEW_BYTES = 5e9;

export function checkNode(): Check {
  return ok('node', `Node ${process.versions.node} on ${process.platform}-${process.arch}`);
}

/** Checks that others cannot read the file with settings, which holds secrets. */
export function checkEnvironmentFile(file: string | undefined): Check[] {
  if (file === undefined) return [];
  if (isPrivate(file)) return [ok('settings', `${file} is read`)];
  return [fault('settings', `others can read ${file}, which holds secrets`, `chmod 600 ${file}`)];
}

export async function checkHome({ settings }: Patient): Promise<Check[]> {
  const name = 'home';
  if (settings.DEPLOYMENT_MODE === 'cloud') return [];
  const home = resolve(settings.HAPAX_HOME);
  const there = existsSync(home);
  const place = there ? home : nearest(home);
  try {
    accessSync(place, constants.W_OK);
  } catch {
    return [fault(name, `${place} cannot be written`, 'make it writable, or set HAPAX_HOME')];
  }
  const [detail, remedy] = (there ? faultOfHome(home) : undefined)?.split('; ') ?? [];
  if (detail && remedy) return [fault(name, `${home} cannot be used: ${detail}`, remedy)];
  if (there && !isPrivate(home)) {
    return [fault(name, `others can read ${home}, which holds the record`, `chmod 700 ${home}`)];
  }
  const { bavail, bsize } = statfsSync(place);
  const free = bavail * bsize;
  const space = `${(free / 1e9).toFixed(1)} GB free`;
  if (free < LEAST_BYTES) return [fault(name, `${home}: only ${space}`, 'free some space, or set HAPAX_HOME')];
  return [(free < FEW_BYTES ? note : ok)(name, `${home}${there ? '' : ' will be made'}, ${space}`)];
}

export async function checkPorts({ settings, running }: Patient): Promise<Check[]> {
  if (running) return [];
  const { HOST, PORT, FLOWER_PORT, TEMPORAL_PORT, TEMPORAL_UI_PORT, TEMPORAL_ADDRESS, DATABASE_URL } = settings;
  const own = { PORT, ...(FLOWER_PORT ? { FLOWER_PORT } : {}) };
  // `hapax up` with servers of its own takes another port in place of a usual one, but not of one that is set.
  const ofTemporal = TEMPORAL_ADDRESS === undefined ? { TEMPORAL_PORT, TEMPORAL_UI_PORT } : {};
  const ports = [
    ...Object.entries(own).map(([setting, port]) => ({ setting, port, host: HOST })),
    ...Object.entries(ofTemporal).flatMap(([setting, port]) => (port ? [{ setting, port, host: '127.0.0.1' }] : [])),
  ];
  // With a record or a Temporal of its own, the Hapax that has the port is another one.
  const isShared = DATABASE_URL !== undefined && TEMPORAL_ADDRESS !== undefined;
  return Promise.all(
    ports.map(async ({ setting, port, host }) => {
      try {
        if (port !== 0) await assertPortFree(host, port, setting);
        return ok('ports', `${setting} ${port} is free`);
      } catch (error) {
        const [detail = '', remedy = ''] = (error as Error).message.split(/: (.*)/s);
        if (setting === 'PORT' && isShared && (await servesHapax(urlAt(HOST, port)))) {
          return ok('ports', `PORT ${port} is that of a Hapax that runs`);
        }
        return fault('ports', detail, remedy);
      }
    }),
  );
}

/** Says whether a Hapax answers at a URL. */
export async function servesHapax(url: string): Promise<boolean> {
  const response = await fetch(url, { signal: AbortSignal.timeout(3_000) }).catch(() => undefined);
  const page = (await response?.json().catch(() => undefined)) as { name?: string } | undefined;
  return page?.name === 'hapax';
}

/** Returns the nearest existing directory above. */
function nearest(path: string): string {
  return existsSync(path) || dirname(path) === path ? path : nearest(dirname(path));
}

function isPrivate(path: string): boolean {
  return process.platform === 'win32' || (statSync(path).mode & 0o077) === 0;
}
