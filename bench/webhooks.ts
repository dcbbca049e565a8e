/**
 * `npm run bench:webhooks [-- --builds N]`: from the end of a run at the simulated GitHub, which sends a webhook, until the
 * live events of the build show its end, in laptop mode. Polls are an hour apart, so that nothing else can have told.
 */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { quantile } from './closed-loop.ts';
import { SIMULATOR_URL, UP_URL } from './processes.ts';
import { runBenchmark, type Scratch } from './program.ts';
import { send } from './send.ts';

const { values } = parseArgs({ options: { builds: { type: 'string', default: '200' } } });
const BUILDS = Number(values.builds);
const AT_ONCE = 10;
/** Two seconds after its start every thread collects the garbage of it, and answers nothing meanwhile (up to 140 ms). */
const START_SETTLES_MS = 5_000;
const SECRET = 'bench-webhook-secret';

await runBenchmark('bench-webhooks', main);

async function main({ directory, processes }: Scratch): Promise<void> {
  const github = processes.role('github', ['simulate-github', '--queued', '0', '--running', '3600000'], {});
  const githubUrl = await github.said(SIMULATOR_URL);
  const up = processes.role('up', ['up'], {
    ...{ PORT: '0', TEMPORAL_UI_PORT: '0', HAPAX_HOME: join(directory, 'home') },
    ...{ GITHUB_API_URL: githubUrl, GITHUB_TOKEN: 'bench', GITHUB_REPO: 'octocat/fedora-images' },
    ...{
      GITHUB_WEBHOOK_SECRET: SECRET,
      GITHUB_POLL_INTERVAL: '3600s',
      WORKER_CONCURRENCY: '4',
      GITHUB_WRITE_INTERVAL: '0',
    },
  });
  const upUrl = await up.said(UP_URL);
  const webhook = { url: `${upUrl}/webhooks/github`, secret: SECRET };
  await send('PUT', `${githubUrl}/_simulator/settings`, { webhook, rate_limit: 1_000_000_000 });

  await delay(START_SETTLES_MS);
  await ended(upUrl, githubUrl, 10); // warms up
  const one: number[] = [];
  for (let n = 0; n < BUILDS / 2; n++) one.push(...(await ended(upUrl, githubUrl, 1)));
  console.log(`one after the other: ${figures(one)}`);
  const many: number[] = [];
  for (let n = 0; n < BUILDS; n += AT_ONCE) many.push(...(await ended(upUrl, githubUrl, AT_ONCE)));
  console.log(`${AT_ONCE} at the same moment: ${figures(many)}`);
}

/** Brings so many builds to a running run, ends the runs together; milliseconds until each build's end was seen. */
async function ended(upUrl: string, githubUrl: string, count: number): Promise<number[]> {
  const builds = await Promise.all(
    Array.from({ length: count }, async () => {
      const ref = `bench-${Math.random().toString(36).slice(2)}`;
      const { id } = await send<{ id: number }>('POST', `${upUrl}/builds/trigger`, { ref });
      const events = await followed(`${upUrl}/builds/${id}/events`);
      return { run: await events.until('run_updated'), events };
    }),
  );
  return Promise.all(
    builds.map(async ({ events }) => {
      const startedAt = performance.now();
      void send('POST', `${githubUrl}/_simulator/runs/${events.runId()}`, {
        status: 'completed',
        conclusion: 'success',
      });
      await events.until('build_completed');
      events.close();
      return performance.now() - startedAt;
    }),
  );
}

/** The live events of a build. */
async function followed(url: string) {
  const aborted = new AbortController();
  const answer = await fetch(url, { headers: { accept: 'text/event-stream' }, signal: aborted.signal });
  const reader = answer.body!.pipeThrough(new TextDecoderStream()).getReader();
  let text = '';
  return {
    async until(type: string): Promise<void> {
      while (!text.includes(`"event_type":"${type}"`)) {
        const { value, done } = await reader.read();
        if (done) throw new Error(`the stream ended before ${type}:\n${text}`);
        text += value;
      }
    },
    runId: () => /"workflow_run_id":(\d+)/.exec(text)?.[1],
    close: () => aborted.abort(),
  };
}

function figures(latencies: number[]): string {
  const ms = (share: number) => `${quantile(latencies, share).toFixed(0)} ms`;
  return `p50 ${ms(0.5)}, p99 ${ms(0.99)}, the longest ${ms(1)} of ${latencies.length}`;
}
