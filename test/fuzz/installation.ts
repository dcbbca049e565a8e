import { type Client, ServiceError, WorkflowNotFoundError } from '@temporalio/client';
import { createActivities } from '../../src/activities/index.ts';
import type { RedriveDependencies } from '../../src/api/commands/redrive.ts';
import { acceptRunDelivery } from '../../src/api/commands/take-delivery.ts';
import type { TriggerDependencies } from '../../src/api/commands/trigger-build.ts';
import type { BuildPolicy } from '../../src/contracts/build-workflow.ts';
import type { Concurrency } from '../../src/contracts/configuration.ts';
import { environmentConfiguration } from '../../src/domain/configuration.ts';
import { GitHub } from '../../src/integrations/github.ts';
import type { Run } from '../../src/simulator/run.ts';
import { currentProcess, Process, VirtualClock } from './clock.ts';
import type { Dice } from './dice.ts';
import { GITHUB_URL, REPOSITORY, VirtualGitHub } from './github.ts';
import { awayError, MemoryRecord } from './memory-store.ts';
import { type Sandbox, VirtualTemporal } from './temporal.ts';

/** 2026-11-21T10:00:00Z. */
const BEGIN = 1_795_255_200_000;

const DEDUP_WINDOW_MS = 300_000;

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

/** All of Hapax in virtual time: its own commands, workflows, activities and GitHub client, and what they talk to. */
export class Installation {
  readonly clock = new VirtualClock(BEGIN);
  /** What must never happen and did. */
  readonly faults: string[] = [];
  readonly record: MemoryRecord;
  readonly github: VirtualGitHub;
  readonly temporal: VirtualTemporal;
  readonly deps: TriggerDependencies & RedriveDependencies;
  api = new Process('api');
  #ids = 0;
  #deliveries = 0;
  readonly #dice: Dice;
  readonly #chaos: Chaos;

  constructor(dice: Dice, chaos: Chaos, sandbox: Sandbox, policy: BuildPolicy, concurrency: Concurrency) {
    this.#dice = dice;
    this.#chaos = chaos;
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
    const activities = () =>
      createActivities({
        db: this.record as never,
        // A GitHub client of its own, with an empty cache, as each worker has that starts.
        github: new GitHub({ apiUrl: GITHUB_URL, auth: { token: 'simulated' }, requestTimeoutMs: 15_000 }),
      }) as never;
    this.temporal = new VirtualTemporal(clock, dice, sandbox, activities, this.faults);
    this.temporal.startWorker();
    const definition = { ...environmentConfiguration(REPOSITORY, 'build.yml'), concurrency };
    const configuration = { id: 1, version: 1, name: 'default', definition, retired: false } as never;
    const free: number[] = [];
    this.deps = {
      client: this.#client(),
      workerBeside: false,
      installation: { memo: {}, epoch: {} },
      db: this.record as never,
      buildIds: { take: async () => free.pop() ?? ++this.#ids, giveBack: (id: number) => free.push(id) } as never,
      configurations: { get: async () => configuration, byName: async () => configuration } as never,
      policy,
      callbackHosts: { allowed: [], refusalOf: async () => undefined },
      dedupWindowMs: DEDUP_WINDOW_MS,
      log: { warn() {}, debug() {} } as never,
      // Of tasks, of which there are none.
      taskPolicy: undefined as never,
      meter: undefined as never,
    };
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
      if (!this.api.alive) this.api = new Process('api');
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

  /** Temporal as the API sees it. */
  #client(): Client {
    const { temporal } = this;
    const ask = async <T>(effect: () => T): Promise<T> => {
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
    };
    const getHandle = (id: string) => ({
      signal: (name: string, ...args: unknown[]) => ask(() => temporal.signal(id, name, args)),
      describe: () =>
        ask(() => {
          const execution = temporal.executions.findLast(({ workflowId }) => workflowId === id);
          if (!execution) throw new WorkflowNotFoundError('not found', id, undefined);
          const typedSearchAttributes = {
            get: ({ name }: { name: string }) => firstOf(execution.attributes.get(name)),
          };
          return { memo: execution.memo, typedSearchAttributes };
        }),
    });
    const start = (type: string, options: StartOptions) =>
      ask(() => {
        const execution = temporal.start(type, options.workflowId, options.args, {
          memo: options.memo,
          reuse: options.workflowIdReusePolicy,
        });
        for (const { key, value } of options.typedSearchAttributes.getAll()) execution.attributes.set(key.name, value);
      });
    const workflow = { start, getHandle };
    return { workflow, withDeadline: (_: number, work: () => Promise<unknown>) => work() } as unknown as Client;
  }
}

interface StartOptions {
  workflowId: string;
  args: unknown[];
  memo: Record<string, unknown>;
  workflowIdReusePolicy: string;
  typedSearchAttributes: { getAll(): Array<{ key: { name: string }; value: unknown }> };
}

function firstOf(value: unknown): unknown {
  return Array.isArray(value) ? value[0] : value;
}

function unavailable(): ServiceError {
  const cause = Object.assign(new Error('14 UNAVAILABLE'), { code: 14, details: 'unavailable', metadata: {} });
  return new ServiceError('Temporal is away', { cause });
}
