import { adoptRun, cancelBuild, retryBuild } from '../../src/commands/builds/operate-build.ts';
import { triggerBuild } from '../../src/commands/builds/trigger-build.ts';
import { discardDeadLetter, redriveDeadLetter } from '../../src/commands/lifecycle/redrive.ts';
import { Refusal } from '../../src/commands/refusal.ts';
import type { BuildPolicy } from '../../src/contracts/builds/build-workflow.ts';
import type { Run } from '../../src/simulator/run.ts';
import { databaseFault } from '../../src/store/database.ts';
import { checkEnd, Watch } from './checks.ts';
import { installClock } from './clock.ts';
import { Dice } from './dice.ts';
import { drawFault } from './github.ts';
import { type Chaos, Installation } from './installation.ts';
import { drawLosses, isReconciled, planLoss } from './losses.ts';
import type { Sandbox } from './temporal.ts';

/** What a schedule may hold besides builds. */
export const INGREDIENTS = [
  'github',
  'lies',
  'kills',
  'record',
  'temporal',
  'webhooks',
  'operators',
  'resets',
  'strangers',
  'crowd',
  'losses',
] as const;
export type Ingredient = (typeof INGREDIENTS)[number];

/** Each die has its place for good, so that what was found under a seed is found under it again. */
const DICE: readonly string[] = [
  ...INGREDIENTS.filter((name) => name !== 'losses'),
  'plan',
  'time',
  'jitter',
  'losses',
  'shadow',
];

/** What came of a schedule. */
export interface Outcome {
  seed: number;
  violations: string[];
  /** What happened, for whoever looks into a violation. */
  story: string[];
  builds: number;
  steps: number;
  /** How often each thing happened, so that a search can show that it was no walk in the park. */
  counts: Record<string, number>;
}

const SECOND = 1_000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;

/** After the trouble is over, builds have this long to end: a deadline, its grace, rate limits and retries. */
const TIME_TO_END_MS = 24 * HOUR;
const REFS = ['main', 'f40'];

/** Lets one installation live through what follows from a seed, and says what was not as it must be. */
export async function runSchedule(sandbox: Sandbox, seed: number, without: ReadonlySet<Ingredient>): Promise<Outcome> {
  // A die for each ingredient: leaving one out does not change what the others do by themselves.
  const diceOf = (name: string) => new Dice(seed * 64 + DICE.indexOf(name));
  const plan = diceOf('plan');
  const dice = Object.fromEntries(INGREDIENTS.map((name) => [name, diceOf(name)])) as Record<Ingredient, Dice>;
  const has = (name: Ingredient, chance: number) => plan.chance(chance) && !without.has(name);
  const uses = {
    github: has('github', 0.8),
    lies: has('lies', 0.2),
    kills: has('kills', 0.6),
    record: has('record', 0.4),
    temporal: has('temporal', 0.4),
    webhooks: has('webhooks', 0.6),
    operators: has('operators', 0.6),
    resets: has('resets', 0.15),
    strangers: has('strangers', 0.2),
    crowd: has('crowd', 0.5),
    losses: !without.has('losses') && dice.losses.chance(0.3),
  };
  const policy: BuildPolicy = {
    correlation_input: plan.chance(0.92) ? 'hapax_id' : '',
    reconcile_window_ms: 2 * MINUTE,
    deadline_ms: plan.pick([20 * MINUTE, HOUR, 3 * HOUR]),
    max_retries: plan.pick([0, 1, 3]),
    retry_delay_ms: MINUTE,
    poll_interval_ms: plan.pick([30 * SECOND, 2 * MINUTE, 5 * MINUTE]),
    request_timeout_ms: 15 * SECOND,
  };
  const concurrency = plan.pick(['allow', 'allow', 'queue', 'cancel_previous'] as const);
  const troubleMs = plan.between(5 * MINUTE, 2 * HOUR);
  const strength = plan.pick([0.002, 0.01, 0.04]);
  let trouble = true;
  const counts: Record<string, number> = {};
  const count = (what: string) => (counts[what] = (counts[what] ?? 0) + 1);
  const strikes = (name: Ingredient, chance: number, what: string) => {
    if (!trouble || !uses[name as keyof typeof uses] || !dice[name].chance(chance)) return false;
    count(what);
    return true;
  };
  const unreachableUntil = { record: 0, github: 0 };
  const chaos: Chaos = {
    kills: (step) => strikes('kills', strength, `kill at ${step}`),
    losesRecord: () => {
      const { clock } = installation;
      if (trouble && clock.now < unreachableUntil.record) return true;
      if (strikes('record', strength / 10, 'outage of the record'))
        unreachableUntil.record = clock.now + dice.record.between(SECOND, 5 * MINUTE);
      return strikes('record', strength, 'loss on the way to the record');
    },
    losesTemporal: () => strikes('temporal', 0.05, 'loss on the way to Temporal'),
    refusesGitHub: () => {
      const { clock } = installation;
      if (trouble && clock.now < unreachableUntil.github) return 'ECONNREFUSED';
      if (strikes('github', strength / 5, 'outage of GitHub'))
        unreachableUntil.github = clock.now + dice.github.between(SECOND, 20 * MINUTE);
      return undefined;
    },
    webhooks: () => {
      if (!uses.webhooks || !trouble) return [];
      const times = dice.webhooks.pick([0, 1, 1, 1, 2, 3]);
      count(`webhook delivered ${times} times`);
      return Array.from({ length: times }, () => dice.webhooks.pick([50, 500, 5 * SECOND, 3 * MINUTE, 30 * MINUTE]));
    },
    restartAfterMs: () => dice.kills.pick([SECOND, 5 * SECOND, MINUTE, 10 * MINUTE]),
  };
  // Not drawn: what is drawn after it stays as it was for each seed. Without a token nobody can say which build a POST is for.
  const isDirect = seed % 4 === 3 && policy.correlation_input !== '';
  const isShadow = seed % 16 === 9;
  const installation = new Installation(diceOf('time'), chaos, sandbox, {
    policy,
    concurrency: isShadow ? 'allow' : concurrency,
    dispatch: isShadow ? 'shadow' : isDirect ? 'direct' : 'queue',
    // A direct dispatch that Temporal was away for has no workflow before they are compared.
    reconciles: uses.losses || isDirect,
  });
  const { clock, github, record, temporal, faults } = installation;
  const begin = clock.now;
  const realFetch = globalThis.fetch;
  const realRandom = Math.random;
  Math.random = diceOf('jitter').random;
  installClock(clock);
  globalThis.fetch = ((url: string, options: RequestInit) => github.fetch(url, options)) as typeof fetch;
  try {
    github.settings = {
      ...github.settings,
      queued_for_ms: plan.between(SECOND, 2 * MINUTE),
      running_for_ms: plan.pick([SECOND, MINUTE, 3 * MINUTE, 10 * MINUTE, 40 * MINUTE, null]),
      conclusion: plan.pick(['success', 'success', 'failure', 'failure', 'timed_out', 'startup_failure', 'a new word']),
      cancel_takes_ms: plan.pick([100, 10 * SECOND, 5 * MINUTE]),
      echoes_correlation: plan.chance(0.95),
      declares_correlation: plan.chance(0.95),
      knows_run_details: plan.chance(0.9),
      // Behind by less than the window is what the window is for.
      listing_lag_ms: uses.lies ? plan.between(0, 10 * MINUTE) : plan.pick([0, 0, 30 * SECOND, 110 * SECOND]),
    };
    if (uses.github) {
      for (let n = dice.github.between(1, 6); n > 0; n--) {
        const at = dice.github.chance(0.5) ? 0 : dice.github.between(0, troubleMs);
        const fault = drawFault(dice.github, uses.lies);
        clock.after(at, () => trouble && github.fault(fault));
        count(`GitHub: ${fault.on} ${fault.kind}`);
      }
    }
    if (uses.losses) {
      for (const plan of drawLosses(dice.losses, troubleMs)) {
        planLoss(installation, plan, () => {
          if (trouble) count(plan.kind);
          return trouble;
        });
      }
    }
    const isTellable =
      policy.correlation_input !== '' && github.settings.declares_correlation && github.settings.echoes_correlation;
    const watch = new Watch(installation, { isHonest: isTellable && !uses.lies, policy });

    // Requests for builds, each sent until it is accepted.
    const accepted: Array<{ id: number; ref: string; key: string | undefined; at: number }> = [];
    let asking = 0;
    const otherProgram = diceOf('shadow');
    const ask = (ref: string, key: string | undefined): void => {
      asking += 1;
      if (isShadow) {
        for (let runs = otherProgram.pick([0, 1, 1, 1, 1, 2]); runs > 0; runs--) {
          clock.after(otherProgram.pick([0, otherProgram.between(0, 6 * MINUTE)]), () => {
            count('a run by another program');
            startRun(ref, 'workflow_dispatch', `Build ${ref}`, 'other program');
          });
        }
      }
      let answered = false;
      const send = (): void => {
        if (answered) return;
        clock.after(20 * SECOND, send);
        installation.inApi(async () => {
          const trigger = { body: { ref } as never, caller: 'client', idempotencyKey: key };
          try {
            const { id } = await triggerBuild(installation.deps, trigger);
            if (answered) return;
            answered = true;
            asking -= 1;
            accepted.push({ id, ref, key, at: clock.now });
          } catch (error) {
            refused('trigger', error);
          }
        });
      };
      send();
    };
    const refused = (what: string, error: unknown): void => {
      if (!(error instanceof Refusal)) {
        if (databaseFault(error)) return;
        faults.push(`${what} threw ${error instanceof Error ? error.stack : error}`);
      } else if (error.code === 'internal') faults.push(`${what} is an internal error: ${String(error.cause)}`);
    };
    const startRun = (ref: string, event: string, displayTitle: string, actor: string) =>
      github.ledger.create({
        ...{ repository: 'acme/images', workflow: 'build.yml', ref, displayTitle, event, actor },
        ...{ inputs: {}, token: null },
      });
    ask(REFS[0]!, undefined);
    if (uses.crowd) {
      for (let n = dice.crowd.between(1, 4); n > 0; n--) {
        const ref = dice.crowd.pick(REFS);
        const key = dice.crowd.chance(0.3) ? dice.crowd.pick(['a', 'b']) + ref : undefined;
        clock.after(dice.crowd.pick([0, 0, dice.crowd.between(0, troubleMs)]), () => ask(ref, key));
      }
    }

    const operate = (what: string, work: (id: number) => Promise<unknown>, id: number): void => {
      count(what);
      installation.inApi(() => work(id).catch((error: unknown) => refused(what, error)));
    };
    /** Answers a build that asks for help as somebody does who looks at GitHub first. */
    const help = (id: number): void => {
      const intent = record.streams.get(`build:${id}`)?.findLast(({ type }) => type === 'dispatch_intended');
      const sent = Date.parse(intent?.recorded_at ?? '');
      const ref = record.builds.get(id)?.request.ref;
      const isPossible = (one: Run) =>
        one.event === 'workflow_dispatch' && one.ref === ref && one.token === null && one.createdAt >= sent;
      const run = [...github.runsOf(id).reverse(), ...github.ledger.all().filter(isPossible)].find(
        (one) => one.deletedAt === null,
      );
      if (run) operate('adopt', (build) => adoptRun(installation.deps, build, { run_id: run.id }), id);
      else operate('retry', (build) => retryBuild(installation.deps, build, undefined, 'somebody'), id);
    };
    const retryOrHelp = (id: number): void => {
      const mode = dice.operators.pick([undefined, 'rerun', 'rerun_failed', 'redispatch'] as const);
      if (record.builds.get(id)?.needs_attention) help(id);
      else operate(`retry ${mode}`, (build) => retryBuild(installation.deps, build, mode, 'somebody'), id);
    };
    const words: Array<(id: number) => void> = [
      retryOrHelp,
      retryOrHelp,
      (id) => operate('cancel', (build) => cancelBuild(installation.deps, build, 'somebody'), id),
      (id) => {
        if (record.builds.get(id)?.needs_attention) help(id);
        else operate('redrive', (build) => redriveDeadLetter(installation.deps, `build:${build}`, 'somebody'), id);
      },
      (id) => operate('discard', (build) => discardDeadLetter(installation.deps, `build:${build}`, 'somebody'), id),
      (id) => {
        count('temporal workflow cancel');
        temporal.cancel(record.builds.get(id)?.workflow_id ?? '');
      },
    ];
    if (uses.operators) {
      for (let n = dice.operators.between(1, 8); n > 0; n--) {
        const word = dice.operators.pick(words);
        const say = () => {
          const ids = [...record.builds.keys()];
          if (ids.length > 0) word(dice.operators.pick(ids));
        };
        // Some words come twice, or in a hurry.
        const at = dice.operators.pick([dice.operators.between(0, 3 * MINUTE), dice.operators.between(0, troubleMs)]);
        clock.after(at, say);
        if (dice.operators.chance(0.2)) clock.after(at + dice.operators.between(0, 50), say);
      }
    }
    if (uses.resets) {
      for (let n = dice.resets.between(1, 2); n > 0; n--) {
        clock.after(dice.resets.between(0, troubleMs), () => {
          const execution = dice.resets.pick(temporal.executions);
          if (!execution) return;
          // Taken up again after its end is recorded, a workflow fails: what it says cannot follow.
          const goesOn = [...record.builds.values()].some(
            ({ workflow_id, completed_at }) => workflow_id === execution.workflowId && completed_at === null,
          );
          if (!goesOn || execution.closed || execution.tasks === 0) return;
          count('temporal workflow reset');
          temporal.reset(execution, dice.resets.between(0, execution.tasks - 1));
        });
      }
    }
    if (uses.strangers) {
      for (let n = dice.strangers.between(1, 3); n > 0; n--) {
        const display_title = dice.strangers.pick(['Build main', 'Release', 'hapax-77-1-0123456789ab']);
        const event = dice.strangers.pick(['workflow_dispatch', 'push']);
        clock.after(dice.strangers.between(0, troubleMs), () => {
          count(`a stranger's run by ${event}`);
          startRun(dice.strangers.pick(REFS), event, display_title, 'stranger');
        });
      }
      if (dice.strangers.chance(0.3)) {
        clock.after(dice.strangers.between(MINUTE, troubleMs + MINUTE), () => {
          const run = github.ledger.all().find((one) => one.token !== null);
          if (!run) return;
          const what = dice.strangers.pick(['cancelled', 'deleted'] as const);
          count(`a run ${what} by others`);
          if (what === 'cancelled') github.ledger.cancel(run, 0);
          else github.ledger.remove(run);
          watch.meddled();
        });
      }
    }

    await clock.run(() => false, begin + troubleMs);
    // The trouble is over; from here on everything works, and all must come to its end.
    trouble = false;
    github.faults.clear();
    github.settings = { ...github.settings, listing_lag_ms: Math.min(github.settings.listing_lag_ms, 110 * SECOND) };
    temporal.startWorker();
    const isOver = () =>
      asking === 0 &&
      isReconciled(installation) &&
      temporal.executions.every(({ closed }) => closed) &&
      [...record.builds.values()].every(({ completed_at }) => completed_at !== null);
    const lookAfter = (): void => {
      for (const { id, needs_attention } of record.builds.values()) if (needs_attention) help(id);
      if (!isOver()) clock.after(10 * MINUTE, lookAfter);
    };
    lookAfter();
    await clock.run(isOver, begin + troubleMs + TIME_TO_END_MS);
    if (clock.failure !== undefined) faults.push(`uncaught: ${(clock.failure as Error).stack ?? clock.failure}`);

    const violations = [
      ...new Set([
        ...faults,
        ...watch.violations,
        ...checkEnd(installation, accepted, { isOver: isOver(), isHonest: watch.isHonest }),
      ]),
    ];
    return {
      seed,
      violations,
      story: violations.length > 0 ? storyOf(installation, begin) : [],
      builds: record.builds.size,
      steps: clock.steps,
      counts: {
        ...counts,
        replays: temporal.replays,
        posts: github.seen.filter(({ kind }) => kind === 'dispatch').length,
      },
    };
  } finally {
    globalThis.fetch = realFetch;
    Math.random = realRandom;
    installClock(undefined);
  }
}

/** Events and requests in the order of time, seconds from the beginning. */
function storyOf({ record, github, temporal, losses }: Installation, begin: number): string[] {
  const lines = [
    ...[...record.streams.values()].flat().map((event) => ({
      at: Date.parse(event.recorded_at),
      text: `${event.stream} ${event.seq} ${event.type} ${JSON.stringify(event.data)}`,
    })),
    ...github.seen
      .filter(({ activity }) => activity !== 'awaitRunChange')
      .map(({ at, kind, activity, token, carriedOut, answered, titles }) => ({
        at,
        text: `  GitHub: ${kind} by ${activity} ${token ?? ''} ${carriedOut ? 'carried out' : ''} -> ${answered ?? 'no answer'} ${titles?.length ?? ''}`,
      })),
    ...losses.map(({ at, kind }) => ({ at, text: `  ${kind}` })),
    ...temporal.executions.flatMap(({ startedAt, closed, workflowId, runId }) => [
      { at: startedAt, text: `  Temporal: ${workflowId.slice(0, 12)} run ${runId.slice(0, 8)} begins` },
      ...(closed ? [{ at: closed.at, text: `  Temporal: run ${runId.slice(0, 8)} ${closed.how}` }] : []),
    ]),
  ];
  return lines
    .toSorted((a, b) => a.at - b.at)
    .map(({ at, text }) => `${((at - begin) / 1_000).toFixed(1).padStart(9)} s  ${text}`);
}
