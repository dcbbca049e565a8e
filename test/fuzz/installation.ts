import { asyncLocalStorage } from '@temporalio/activity';
import { createActivities } from '../../src/activities/index.ts';
import { BuildIds } from '../../src/commands/builds/build-ids.ts';
import { acceptRunDelivery } from '../../src/commands/builds/take-delivery.ts';
import type { TriggerDependencies } from '../../src/commands/builds/trigger-build.ts';
import { KnownInstallation } from '../../src/commands/lifecycle/installation.ts';
import type { RedriveDependencies } from '../../src/commands/lifecycle/redrive.ts';
import { startReconciliation } from '../../src/commands/reconcile/reconciliation.ts';
import { UnusedBuildIds } from '../../src/commands/reconcile/unused-build-ids.ts';
import type { BuildPolicy } from '../../src/contracts/builds/build-workflow.ts';
import type { Concurrency, DispatchMode } from '../../src/contracts/builds/configuration.ts';
import { environmentConfiguration } from '../../src/domain/builds/configuration.ts';
import { Forge } from '../../src/integrations/forges/forge.ts';
import { runListingOf } from '../../src/processes/github.ts';
import type { Run } from '../../src/simulator/run.ts';
import { contextOf } from './activity-context.ts';
import { unavailable, virtualClient } from './client.ts';
import { currentProcess, Process, VirtualClock } from './clock.ts';
import type { Dice } from './dice.ts';
import { GITHUB_URL, REPOSITORY, VirtualGitHub } from './github.ts';
import type { Loss } from './losses.ts';
import { awayError, MemoryRecord } from './memory-store.ts';
import { type Sandbox, VirtualTemporal } from './temporal.ts';
import type { Execution } from './temporal-execution.ts';

/** 2026-11-21T10:00:00Z. */
const BEGIN = 1_795_255_200_000;

const DEDUP_WINDOW_MS = 300_000;

function forgeOf(): Forge {
  return new Forge({ apiUrl: GITHUB_URL, auth: { token: 'simulated' }, requestTimeoutMs: 15_000 });
}

/** What goes wrong with the parts of an installation; each is asked at every step it could happen at. */
export interface Chaos {
  /** Kills the process at this external step. */
  kills(step: string): boolean;
  /** The record is not there, or its answer is lost. */
  losesRecord(step: string): boolean;
  /** Temporal is not there for the API, or its answer is lost. */
  losesTemporal(): boolean;
  /** GitHub cannot be reached. */
  refusesGitHub(): string | undefined;
  /** So many milliseconds after its cause a webhook arrives; none, or several times. */
  webhooks(): number[];
  /** Until a killed process is started again. */
  restartAfterMs(): number;
}

/** What an installation is set up with. */
export interface Setup {
  policy: BuildPolicy;
  concurrency: Concurrency;
  dispatch: DispatchMode;
  /** Whether its processes compare the record with Temporal, as they do outside of this search. */
  reconciles: boolean;
}

/** All of Hapax in virtual time: its own commands, workflows, activities and GitHub client, and what they talk to. */
export class Installation {
  readonly clock = new VirtualClock(BEGIN);
  /** What must never happen and did. */
  readonly faults: string[] = [];
  /** Every loss of a store, the first that happened first. */
  readonly losses: Loss[] = [];
  readonly record: MemoryRecord;
  readonly github: VirtualGitHub;
  readonly temporal: VirtualTemporal;
  readonly deps: TriggerDependencies & RedriveDependencies;
  api = new Process('api');
  #ids = 0;
  #deliveries = 0;
  readonly #dice: Dice;
  readonly #chaos: Chaos;
  readonly #reconciles: boolean;

  constructor(dice: Dice, chaos: Chaos, sandbox: Sandbox, { policy, concurrency, dispatch, reconciles }: Setup) {
    this.#dice = dice;
    this.#chaos = chaos;
    this.#reconciles = reconciles;
    const { clock } = this;
    this.record = new MemoryRecord({
      there: (query) => this.#cross(`record:${query}:before`),
      back: (query) => this.#cross(`record:${query}:after`),
    });
    this.github = new VirtualGitHub(
      clock,
      {
        latency: () => dice.between(1, 200),
        point: (name) => this.#mayDie(`github:${name}`),
        refused: () => chaos.refusesGitHub(),
      },
      (run) => this.#announce(run),
    );
    const activities = () => {
      // A GitHub client of its own, with an empty cache, as each worker has that starts.
      const github = forgeOf();
      return createActivities({
        db: this.record as never,
        forges: { of: () => github },
        fire: undefined as never,
      }) as never;
    };
    this.temporal = new VirtualTemporal(clock, dice, sandbox, activities, this.faults, (failed) =>
      this.#mayFail(failed),
    );
    this.temporal.startWorker();
    const definition = { ...environmentConfiguration(REPOSITORY, 'build.yml'), concurrency, dispatch };
    const configuration = { id: 1, version: 1, name: 'default', definition, retired: false } as never;
    const free: number[] = [];
    this.deps = {
      client: virtualClient(this.temporal, (effect) => this.#askTemporal(effect)),
      workerBeside: false,
      installation: { memo: {}, epoch: {} },
      db: this.record as never,
      buildIds: { take: async () => free.pop() ?? ++this.#ids, giveBack: (id: number) => free.push(id) } as never,
      configurations: Object.fromEntries(
        ['get', 'byName', 'version'].map((by) => [by, async () => configuration]),
      ) as never,
      policy,
      callbackHosts: { allowed: [], refusalOf: async () => undefined },
      secrets: undefined,
      forges: { github: GITHUB_URL, credentials: new Map() },
      queueEnabled: true,
      sendDispatch: (...dispatch) => this.#direct(forgeOf(), ...dispatch),
      dedupWindowMs: DEDUP_WINDOW_MS,
      log: LOG,
      // Of tasks, of which there are none.
      taskPolicy: undefined as never,
      taskTypes: undefined as never,
      meter: undefined as never,
    };
    if (reconciles) this.#compare();
  }

  /** As GitHub sees it, a request that a workflow would send; the process that does send it has no run of that workflow. */
  #direct(
    github: Forge,
    ...[request, correlation]: Parameters<Forge['writes']['dispatch']>
  ): ReturnType<Forge['writes']['dispatch']> {
    const id = Number(/^hapax-(\d+)-/.exec(correlation?.token ?? '')?.[1]);
    const workflowId = this.record.builds.get(id)?.workflow_id ?? '';
    const { context } = contextOf({ workflowId, runId: '' }, { activityType: 'direct' }, 1, undefined, false);
    return asyncLocalStorage.run(context, () => github.writes.dispatch(request, correlation));
  }

  /** What a process with the API has besides its commands, from its start on. */
  #compare(): void {
    const { client, db } = this.deps;
    const installation = new KnownInstallation(db);
    const unused = new UnusedBuildIds({ client, db, installation, log: LOG });
    const buildIds = new BuildIds((count) => unused.reserve(count));
    Object.assign(this.deps, { installation, buildIds });
    this.inApi(async () => {
      const listRuns = runListingOf({ of: forgeOf });
      const { soon } = startReconciliation({ ...this.deps, installation, listRuns });
      Object.assign(this.deps, { reconcileSoon: soon });
    });
  }

  /** A workflow that goes on from an earlier moment has nothing more to say about a build that has ended since. */
  #mayFail({ memo }: Execution): boolean {
    const build = this.record.builds.get(memo.build_id as number);
    return this.losses.length > 0 && build !== undefined && build.completed_at !== null;
  }

  /** Runs something in the API's process, for as long as that lives. */
  inApi(work: () => Promise<unknown>): void {
    if (this.api.alive) this.clock.spawn(this.api, work);
  }

  killWorker(): void {
    this.temporal.killWorker();
    this.clock.after(this.#chaos.restartAfterMs(), () => this.temporal.startWorker());
  }

  killApi(): void {
    this.api.alive = false;
    this.clock.after(this.#chaos.restartAfterMs(), () => {
      if (this.api.alive) return;
      this.api = new Process('api');
      if (this.#reconciles) this.#compare();
    });
  }

  #mayDie(step: string): void {
    if (!this.#chaos.kills(step)) return;
    if (currentProcess() === this.api) this.killApi();
    else if (currentProcess().alive) this.killWorker();
  }

  async #cross(step: string): Promise<void> {
    await this.clock.sleep(this.#dice.between(0, 8));
    this.#mayDie(step);
    await currentProcess().survived();
    if (this.#chaos.losesRecord(step)) throw awayError();
  }

  #announce(run: Run): void {
    const delivery_id = `delivery-${++this.#deliveries}`;
    for (const ms of this.#chaos.webhooks()) {
      this.clock.after(ms, () => {
        const { id: run_id, displayTitle: title } = run;
        const delivery = { delivery_id, run_id, run_attempt: run.attempts.length, title };
        this.inApi(() =>
          acceptRunDelivery(this.deps, delivery)
            .then((work) => work?.())
            .catch(() => {
              // The route answers 5xx or 202; GitHub does not send it again.
            }),
        );
      });
    }
  }

  /** A call of the API to Temporal's server. */
  async #askTemporal<T>(effect: () => T): Promise<T> {
    await this.clock.sleep(this.#dice.between(1, 30));
    this.#mayDie('temporal:before');
    await currentProcess().survived();
    if (this.#chaos.losesTemporal()) throw unavailable();
    const result = effect();
    await this.clock.sleep(this.#dice.between(1, 30));
    this.#mayDie('temporal:after');
    await currentProcess().survived();
    if (this.#chaos.losesTemporal()) throw unavailable();
    return result;
  }
}

const LOG = { debug() {}, info() {}, warn() {}, error() {} } as never;
