import { readFile, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { directory } from '../end-to-end/program.ts';
import { eventually } from '../world/eventually.ts';
import { type Installation, openInstallation } from './installation.ts';
import { type Accepted, sendMessages, sendTriggers } from './load.ts';
import { kindsOf, type Loss, lose } from './losses.ts';
import { acceptTimes, type Ended, outcomesOf, quantile } from './outcome.ts';

/** Triggers a second. */
const RATE = Number(process.env.RATE ?? 5);
const MINUTES = Number(process.env.MINUTES ?? 3);
const KILLS = Number(process.env.KILLS ?? 14);
/** Of triggers without any loss, before. */
const QUIET_SECONDS = 30;
/** How long after a loss triggers count as disturbed. */
const DISTURBED_MS = 10_000;
const MESSAGES_PER_SECOND = 1;

let open: Installation;

describe('a cluster', () => {
  it(`loses nothing and does nothing twice: ${RATE} triggers a second for ${MINUTES} minutes, ${KILLS} losses`, async () => {
    const home = await directory();
    open = await openInstallation(home, RATE);
    const quiet = await sendTriggers(open, { perSecond: RATE, count: RATE * QUIET_SECONDS, prefix: 'quiet' });
    await endsOf(quiet);

    const seconds = MINUTES * 60;
    const file = join(home, 'stamps');
    const [accepted, messages, losses] = await Promise.all([
      sendTriggers(open, { perSecond: RATE, count: RATE * seconds, prefix: 'build' }),
      sendMessages(open.rabbit.url, { perSecond: MESSAGES_PER_SECOND, count: MESSAGES_PER_SECOND * seconds, file }),
      lose(kindsOf(open), { count: KILLS, everyMs: (seconds * 1_000) / KILLS }),
    ]);
    const builds = await endsOf([...quiet, ...accepted]);
    const tasks = await endedTasks(messages.length);
    const { runs, runs_per_token } = await open.github.oracle();
    const doubled = Object.values(runs_per_token).filter((times) => times !== 1).length;
    const stamps = new Set((await readFile(file, 'utf8')).trimEnd().split('\n'));
    const { stdout: audit } = await open.command('audit', 'verify');
    await report({ quiet, accepted, losses, builds, runs, doubled, tasks: tasks.length, messages: messages.length });

    const all = [...quiet, ...accepted];
    expect(new Set(all.map(({ id }) => id)).size).toBe(all.length);
    expect(builds.filter(({ status }) => status !== 'success')).toEqual([]);
    expect([builds.length, runs, doubled]).toEqual([all.length, all.length, 0]);
    expect(tasks.filter(({ status }) => status !== 'SUCCESS')).toEqual([]);
    expect([tasks.length, stamps.size]).toEqual([messages.length, messages.length]);
    expect(audit).toContain('sound');
  });
});

/** Builds once all of them have ended. @throws where some have not in ten minutes */
async function endsOf(accepted: Accepted[]): Promise<Ended[]> {
  return eventually(async () => {
    const builds = new Map((await pages('/builds', 'builds')).map((build) => [build.id, build]));
    const open = accepted.filter(({ id }) => !builds.get(id)?.completed_at);
    if (open.length > 0) {
      throw new Error(
        `${open.length} builds have not ended: ${JSON.stringify(open.slice(0, 5))} ${JSON.stringify(builds.get(open[0]!.id))}`,
      );
    }
    return [...builds.values()].map(({ id, ref, status, completed_at }) => ({
      ...{ id, ref, status },
      completedAt: Date.parse(completed_at),
    }));
  }, 600_000);
}

async function endedTasks(count: number): Promise<Array<{ status: string }>> {
  return eventually(async () => {
    const tasks = await pages('/tasks', 'tasks');
    const ended = tasks.filter(({ completed_at }) => completed_at);
    if (ended.length < count) throw new Error(`${ended.length} of ${count} tasks have ended`);
    return ended;
  }, 600_000);
}

// biome-ignore lint/suspicious/noExplicitAny: what the API says, whatever its form.
async function pages(path: string, name: string): Promise<any[]> {
  const all = [];
  let cursor = '';
  do {
    const { json } = await open.asked('GET', `${path}?limit=200${cursor}`);
    all.push(...json[name]);
    cursor = json.next_cursor === null ? '' : `&cursor=${json.next_cursor}`;
  } while (cursor !== '');
  return all;
}

interface Figures {
  quiet: Accepted[];
  accepted: Accepted[];
  losses: Loss[];
  builds: Ended[];
  runs: number;
  doubled: number;
  tasks: number;
  messages: number;
}

async function report({ quiet, accepted, losses, builds, runs, doubled, tasks, messages }: Figures): Promise<void> {
  const { inLosses, outside } = acceptTimes(losses, accepted, DISTURBED_MS);
  const before = quiet.map(({ at, acceptedAt }) => acceptedAt - at);
  const ms = (values: number[], share: number) => `${Math.round(quantile(values, share))} ms`;
  const s = (seconds: number) => seconds.toFixed(1);
  const lines = [
    `| load | ${RATE} triggers/s for ${MINUTES} minutes, ${losses.length} losses |`,
    '|---|---|',
    `| triggers accepted, with ${quiet.length} before the losses | ${quiet.length + accepted.length} |`,
    `| runs at GitHub | ${runs} |`,
    `| builds that ended with success | ${builds.filter(({ status }) => status === 'success').length} |`,
    `| runs doubled | ${doubled} |`,
    `| messages; tasks of them that ended | ${messages}; ${tasks} |`,
    `| accepts before, p50 and p99 | ${ms(before, 0.5)}, ${ms(before, 0.99)} |`,
    `| accepts outside of losses, p50 and p99 (${outside.length}) | ${ms(outside, 0.5)}, ${ms(outside, 0.99)} |`,
    `| accepts in losses and ${DISTURBED_MS / 1_000} s after, p50 and p99 (${inLosses.length}) | ${ms(inLosses, 0.5)}, ${ms(inLosses, 0.99)} |`,
    '',
    '| loss | times | longest accept, s | until all builds under way had ended, s: median | longest |',
    '|---|---|---|---|---|',
    ...outcomesOf(losses, accepted, builds).map(
      ({ kind, times, longestAccept, recovery }) =>
        `| ${kind} | ${times} | ${s(longestAccept)} | ${s(recovery.median)} | ${s(recovery.longest)} |`,
    ),
    '',
    `p99 outside of losses within 3 x the quiet median: ${quantile(outside, 0.99) <= 3 * quantile(before, 0.5) ? 'yes' : 'no'}`,
  ];
  console.log(lines.join('\n'));
  await writeFile(process.env.TABLE ?? join(tmpdir(), 'hapax-cluster.md'), `${lines.join('\n')}\n`);
}
