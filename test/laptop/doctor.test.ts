import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { readSettings } from '../../src/contracts/settings.ts';
import { findTemporalCli } from '../../src/laptop/temporal-cli.ts';
import { checkApi } from '../../src/processes/doctor/api.ts';
import { checkGitHub } from '../../src/processes/doctor/github.ts';
import type { Patient } from '../../src/processes/doctor/patient.ts';
import { checkTemporal } from '../../src/processes/doctor/servers.ts';

const patient = (given: Record<string, string>, environment: NodeJS.ProcessEnv = {}): Patient => ({
  settings: readSettings(given),
  environment,
  running: undefined,
});

async function place(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'hapax-doctor-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  return directory;
}

test("a place where Temporal's CLI cannot be kept is a fault, as it is for a start", async () => {
  const file = join(await place(), 'file');
  await writeFile(file, '');
  const env = { PATH: '', XDG_CACHE_HOME: file };
  expect(await checkTemporal(patient({}, env))).toMatchObject([
    { status: 'fault', detail: expect.stringContaining(`the cache ${file}`), remedy: expect.any(String) },
  ]);
  const started = findTemporalCli({ env, report: () => {}, sources: [] });
  await expect(started).rejects.toMatchObject({
    name: 'UserError',
    message: expect.stringMatching(/^the cache .*set XDG_CACHE_HOME/),
  });
});

test("looking for Temporal's CLI changes nothing", async () => {
  const cache = await place();
  expect(await checkTemporal(patient({}, { PATH: '', XDG_CACHE_HOME: join(cache, 'new') }))).toMatchObject([
    { status: 'note' },
  ]);
  expect(await readdir(cache)).toEqual([]);
});

test.each([
  ['::1', '[::1]'],
  ['::', '[::1]'],
  ['0.0.0.0', '127.0.0.1'],
  ['127.0.0.1', '127.0.0.1'],
])('an API on HOST=%s is looked for at %s', async (HOST, host) => {
  const checks = await checkApi(patient({ HOST, PORT: '1', API_KEYS: 'ops=0123456789abcdef0123456789abcdef' }));
  expect(checks).toMatchObject([{ status: 'note', detail: `no API runs at http://${host}:1` }]);
});

test('only laptop mode has a simulation', async () => {
  expect(await checkGitHub(patient({}))).toMatchObject([{ status: 'note' }]);
  const cloud = { ...patient({}).settings, DEPLOYMENT_MODE: 'cloud' as const };
  expect(await checkGitHub({ ...patient({}), settings: cloud })).toEqual([]);
});
