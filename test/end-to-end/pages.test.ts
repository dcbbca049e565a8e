import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { Client, Connection } from '@temporalio/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { BuildView } from '../../src/contracts/builds/build.ts';
import { remote } from '../simulator/harness.ts';
import { ENTRY, type Person, person } from '../world/command-line.ts';
import { eventually } from '../world/eventually.ts';
import {
  asRunHere,
  commandsOf,
  type Known,
  learn,
  listPages,
  type PageCommand,
  patternOf,
} from '../world/page-commands.ts';
import { callers } from '../world/world.ts';
import { Program } from './program.ts';

/** Commands that are not run here, and what runs them. */
const ELSEWHERE: Array<{ page?: string; command?: RegExp; why: string }> = [
  { command: /^npm start$/, why: 'it runs already' },
  { command: /^npm run demo$/, why: 'test/end-to-end/demo.test.ts' },
  { page: 'docs/architecture.md', why: 'test/rules/recipes.test.ts' },
  { page: 'docs/command-line.md', why: 'test/unit/command-line-page.test.ts' },
  { page: 'docs/forges.md', why: 'needs a Gitea: test/integration/real-gitea.test.ts' },
  { page: 'docs/kubernetes.md', why: 'needs a cluster: test/deploy/helm.test.ts renders what they install' },
  { page: 'docs/upgrade.md', why: 'needs a cluster: test/integration/migrations.test.ts migrates while others serve' },
  { page: 'docs/security.md', why: 'a key would close the API to the other pages: test/integration/keys.test.ts' },
  { page: 'docs/erasure.md', why: 'test/integration/erasures.test.ts' },
  { page: 'docs/subscriptions.md', why: 'needs a receiver: test/integration/subscriptions.test.ts' },
  { page: 'docs/operations.md', command: /^temporal /, why: 'test/integration/payload-codec.test.ts' },
  { command: /^npx hapax content move /, why: 'needs a second store: test/integration/content-move.test.ts' },
  { command: /^gh /, why: 'needs GitHub: test/integration/shadow.test.ts is the other program' },
  { page: 'docs/benchmarks.md', why: 'measures for minutes' },
  { page: 'docs/sizing.md', why: 'measures for minutes' },
  { page: 'docs/callbacks.md', command: /^export CALLBACK_SECRET/, why: 'settings of what runs already' },
];
/** Pages that begin where nothing was done yet, in this order; the others follow, in any. A restore changes which numbers come next. */
const FIRST = ['README.md', 'docs/start.md', 'docs/build-configurations.md'];
/** Statuses of commands other than 0. */
const STATUS: Array<[RegExp, number]> = [[/simulate=flaky --watch/, 1]];
/** Commands whose output is an example: it depends on what has failed before. */
const EXAMPLES = [/^npx hapax shadow /, /\/dlq\/causes'$/];
/** Commands for which `hapax up` is stopped first. */
const NEEDS_STOP = /hapax (rebuild|restore)\b/;
const PAGES = [...FIRST, ...listPages().filter((page) => !FIRST.includes(page))].filter(
  (page) => commandsOf(page).filter(runsHere).length > 0,
);

function runsHere({ page, command }: PageCommand): boolean {
  return !ELSEWHERE.some((one) => (one.page ?? page) === page && (one.command?.test(command) ?? true));
}

describe('what the pages have people paste', () => {
  let reader: Person;
  let folder: string;
  let hapax: Program | undefined;
  let url = '';

  const log = () => join(reader.home, 'up.log');
  async function start(): Promise<void> {
    if (hapax) return;
    await writeFile(log(), '');
    const settings = {
      HAPAX_HOME: reader.env.HAPAX_HOME,
      PORT: '0',
      TEMPORAL_PORT: '0',
      TEMPORAL_UI_PORT: '0',
      RECONCILE_WINDOW: '1s',
      CALLBACK_SECRET: 'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw',
      CALLBACK_ALLOWED_HOSTS: 'localhost',
    };
    const program = new Program(process.execPath, ['bin/hapax.js', 'up'], settings, log());
    hapax = program;
    try {
      url = await eventually(() => {
        const found = /ready; /.test(program.output) && /API +(http:\S+)/.exec(program.output)?.[1];
        if (!found) throw new Error(`it is not ready: ${program.output}`);
        return found;
      });
    } catch (error) {
      // The pages that follow do not fail of this one.
      await program.kill();
      hapax = undefined;
      throw error;
    }
  }
  async function stop(): Promise<void> {
    hapax?.signal('SIGINT');
    await hapax?.ended;
    hapax = undefined;
  }

  beforeAll(async () => {
    reader = person();
    folder = join(reader.home, 'folder');
    await mkdir(join(folder, 'backups'), { recursive: true });
    await start();
  });
  afterAll(async () => {
    await hapax?.kill();
    reader?.remove();
  });

  /** What a terminal would show. */
  async function run(command: string): Promise<{ code: number | null; printed: string }> {
    const stdio: ['ignore', 'pipe', 'inherit'] = ['ignore', 'pipe', 'inherit'];
    const child = spawn('bash', ['-c', `exec 2>&1\n${command}`], { cwd: folder, env: reader.env, stdio });
    const [printed, [code]] = await Promise.all([text(child.stdout), once(child, 'exit') as Promise<[number | null]>]);
    return { code, printed: printed.replaceAll('\r', '').trim() };
  }

  const hapaxIs = () => callers(url);
  async function gitHub() {
    const { json } = await hapaxIs().call('GET', '/builds');
    const { run_url } = json.builds.find((build: BuildView) => build.run_url !== null);
    return remote({ url: new URL(run_url).origin });
  }
  let made = 0;
  const trigger = async (simulate: string) =>
    (await hapaxIs().trigger({ ref: `made-${++made}`, inputs: { simulate } })).json.id as number;
  const known = (builds: Record<string, unknown>): Known =>
    new Map(Object.entries(builds).map(([name, value]) => [name, String(value)]));

  /** A build whose response was lost, and whose run does not show whose it is. */
  async function doubtful() {
    const github = await gitHub();
    await github.set({ echoes_correlation: false, running_for_ms: 500 });
    // Not another build that is about to be sent.
    await github.fault({ on: 'dispatch', kind: 'accept-then-reset', match: `made-${made + 1}` });
    const id = await trigger('success');
    await eventually(async () => expect((await hapaxIs().build(id)).needs_attention).toBe(true));
    await github.set({ echoes_correlation: true });
    return known({ 12: id, 123: (await github.runs())[0]?.id });
  }
  /** A checkpoint of what is in the log, for which people would wait a minute. */
  async function checkpoint() {
    const { temporalAddress } = JSON.parse(await readFile(home('owner.json'), 'utf8'));
    const connection = await Connection.connect({ address: temporalAddress });
    await new Client({ connection }).schedule.getHandle('hapax-checkpoint').trigger();
    await connection.close();
    await eventually(async () => expect((await hapaxIs().call('GET', '/audit/key')).status).toBe(200));
    return undefined;
  }
  /** What differs between the stores, as docs/backup.md shows it. */
  async function differing() {
    const id = await trigger('stuck');
    await eventually(async () => expect((await hapaxIs().build(id)).workflow_run_id).toEqual(expect.anything()));
    const [queued] = (await hapaxIs().build(id)).events;
    const task = { name: 'semantic_search', args: ['tides'], eta: '2027-01-01T00:00:00Z', task_id: 'search-7' };
    await hapaxIs().call('POST', '/tasks', task);
    const { temporalAddress } = JSON.parse(await readFile(home('owner.json'), 'utf8'));
    const connection = await Connection.connect({ address: temporalAddress });
    const { workflow, workflowService } = new Client({ connection });
    const workflowId = String(queued?.event_data?.workflow_id);
    await workflow.getHandle('task-search-7').terminate();
    await workflow.getHandle(workflowId).terminate();
    await workflowService.deleteWorkflowExecution({ namespace: 'default', workflowExecution: { workflowId } });
    await eventually(() => expect(workflow.getHandle(workflowId).describe()).rejects.toThrow());
    await connection.close();
    return known({ 12: id });
  }

  const nothing = async (done: Promise<unknown>) => void (await done);
  const has = (name: string, content: string) => nothing(writeFile(join(folder, name), content));
  const home = (name: string) => join(reader.env.HAPAX_HOME, name);
  /** What is there before a command is run; what the page calls it, it becomes known by. */
  const GIVEN: Array<[RegExp, (command: PageCommand) => Promise<Known | undefined>]> = [
    [/builds\/12\/candidates|builds\/12\/adopt|builds\/12\/retry .* '\{\}'|dlq\/build:12/, doubtful],
    [
      /builds\/12\/cancel/,
      async () => {
        const id = await trigger('stuck');
        await eventually(async () => expect((await hapaxIs().build(id)).status).toBe('in_progress'));
        return known({ 12: id });
      },
    ],
    [
      /builds\/12\/retry .*rerun_failed/,
      async () => {
        const id = await trigger('flaky');
        await hapaxIs().ended(id);
        return known({ 12: id });
      },
    ],
    [/^cat fedora\.json$/, ({ prints }) => has('fedora.json', prints)],
    [/blueprint\.yaml/, () => has('blueprint.yaml', 'name: sway\npackages: [foot, $(id)]\n')],
    // The first of two builds is to run for a while.
    [/"config":"nightly","image_type":"a"/, async () => nothing((await gitHub()).set({ running_for_ms: 5_000 }))],
    [
      /^comm -23/,
      async () => {
        const log = await readFile(join(folder, 'log-2026-11-21.ndjson'), 'utf8');
        await has('earlier.ndjson', log);
        return has('later.ndjson', log);
      },
    ],
    [/hapax restore/, () => nothing(rename(home('postgres'), home('postgres-before')))],
    [/hapax reconcile --dry-run/, differing],
    [/audit\/checkpoint/, checkpoint],
    [
      /tasks\/demo-2$/,
      () =>
        eventually(async () => {
          expect((await hapaxIs().call('GET', '/tasks/demo-2')).json.status).toBe('REVOKED');
          return undefined;
        }),
    ],
  ];

  it.each(PAGES)('works, and prints what the page says: %s', async (page) => {
    const known: Known = new Map();
    for (const command of commandsOf(page).filter(runsHere)) {
      await (NEEDS_STOP.test(command.command) ? stop() : start());
      for (const [pattern, make] of GIVEN) {
        if (!pattern.test(command.command)) continue;
        for (const [name, value] of (await make(command)) ?? []) known.set(name, value);
      }
      const pasted = asRunHere(command.command, known, url, `"${process.execPath}" "${ENTRY}"`);
      // What follows the whole log ends only when it is left.
      const endless = /event-stream.*\/events\?/.test(pasted);
      const { code, printed } = await run(endless ? `timeout 1 ${pasted}` : pasted);
      const shown = `${pasted}\n${printed.slice(0, 5_000)}`;
      const status = endless ? 124 : (STATUS.find(([pattern]) => pattern.test(command.command))?.[1] ?? 0);
      expect(code, shown).toBe(status);
      const isSaid = command.prints !== '' && !EXAMPLES.some((one) => one.test(command.command));
      const pattern = !isSaid ? /^(?![\s\S]*urn:hapax:problem)/ : patternOf(command.prints, known);
      const match = pattern.exec(printed);
      if (!match) expect.fail(`${shown}\nis not what ${page} says:\n${command.prints}\n${pattern}`);
      learn(known, match);
    }
  });

  it('is told in the log by its end, without arguments and results, and warns of nothing', async () => {
    await stop();
    const output = await readFile(log(), 'utf8');
    const ends = output.split('\n').filter((line) => /"msg":"(build|task) ended"/.test(line));
    expect(ends.length).toBeGreaterThan(0);
    expect(ends.join('\n')).not.toMatch(/moon|args|kwargs|result/);
    expect(output).not.toMatch(/Warning/);
  });
});
