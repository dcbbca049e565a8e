/**
 * `npm run bench:builds [-- --per-minute 100 --minutes 3 --run-seconds 120]`: CPU time and disk that a build costs in laptop mode, from
 * its trigger to its end, with the usual settings but for GitHub's pause between writes. CPU time hardly depends on what else runs.
 */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { cpuByName } from './cpu.ts';
import { SIMULATOR_URL, UP_URL } from './processes.ts';
import { runBenchmark, type Scratch } from './program.ts';
import { send } from './send.ts';

const { values } = parseArgs({
  options: {
    'per-minute': { type: 'string', default: '100' },
    minutes: { type: 'string', default: '3' },
    'run-seconds': { type: 'string', default: '120' },
  },
});
const PER_MINUTE = Number(values['per-minute']);
const BUILDS = PER_MINUTE * Number(values.minutes);
const RUN_MS = Number(values['run-seconds']) * 1_000;
const IDLE_MS = 60_000;

await runBenchmark('bench-builds', main);

async function main({ directory, processes }: Scratch): Promise<void> {
  const simulating = ['simulate-github', '--queued', '1000', '--running', String(RUN_MS)];
  const github = processes.role('github', simulating, {});
  const githubUrl = await github.said(SIMULATOR_URL);
  const home = join(directory, 'home');
  const up = processes.role('up', ['up'], {
    ...{ PORT: '0', TEMPORAL_UI_PORT: '0', HAPAX_HOME: home, GITHUB_WRITE_INTERVAL: '0' },
    ...{ GITHUB_API_URL: githubUrl, GITHUB_TOKEN: 'bench', GITHUB_REPO: 'octocat/fedora-images' },
  });
  const url = await up.said(UP_URL);
  await send('PUT', `${githubUrl}/_simulator/settings`, { rate_limit: 1_000_000_000 });
  await followed(url, await trigger(url)); // warms up

  const idle = await spent(up.pid, home, () => delay(IDLE_MS));
  const work = await spent(up.pid, home, async () => {
    const ids: number[] = [];
    for (let n = 0; n < BUILDS; n++) {
      ids.push(await trigger(url));
      await delay(60_000 / PER_MINUTE);
    }
    for (const id of ids) await followed(url, id);
  });
  const perBuild = (name: string) =>
    ((work.cpu.get(name) ?? 0) - ((idle.cpu.get(name) ?? 0) * work.ms) / idle.ms) / BUILDS;
  console.log(`${BUILDS} builds, ${PER_MINUTE} a minute, runs of ${RUN_MS / 1_000} s`);
  for (const [name, ms] of idle.cpu) {
    const share = ((ms / idle.ms) * 100).toFixed(1);
    console.log(`${name}: ${perBuild(name).toFixed(0)} ms of CPU for each build; idle ${share} % of a core`);
  }
  for (const [folder, bytes] of work.disk) {
    console.log(`${folder}: ${(bytes / BUILDS / 1_000).toFixed(1)} KB of disk for each build`);
  }
}

async function trigger(url: string): Promise<number> {
  const ref = `bench-${Math.random().toString(36).slice(2)}`;
  return (await send<{ id: number }>('POST', `${url}/builds/trigger`, { ref })).id;
}

/** Waits for the end of a build. */
async function followed(url: string, id: number): Promise<void> {
  for (;;) {
    const { completed_at } = await send<{ completed_at: string | null }>('GET', `${url}/builds/${id}?wait=60`);
    if (completed_at !== null) return;
  }
}

/** What work takes: time, CPU time in milliseconds by program, and bytes of disk by folder. */
async function spent(pid: number, home: string, work: () => Promise<unknown>) {
  const [cpuBefore, diskBefore, startedAt] = [cpuByName(pid), diskOf(home), performance.now()];
  await work();
  const cpu = new Map([...cpuByName(pid)].map(([name, ms]) => [name, ms - (cpuBefore.get(name) ?? 0)]));
  const disk = new Map([...diskOf(home)].map(([folder, bytes]) => [folder, bytes - (diskBefore.get(folder) ?? 0)]));
  return { ms: performance.now() - startedAt, cpu, disk };
}

function diskOf(home: string): Map<string, number> {
  return new Map(readdirSync(home).map((entry) => [entry, sizeOf(join(home, entry))]));
}

function sizeOf(path: string): number {
  const stat = statSync(path, { throwIfNoEntry: false });
  if (!stat?.isDirectory()) return (stat?.blocks ?? 0) * 512;
  return readdirSync(path).reduce((sum, entry) => sum + sizeOf(join(path, entry)), 0);
}
