import { inTime } from '../commands/lifecycle/in-time.ts';
import type { DependencyHealth, Health } from '../contracts/health.ts';

export type DependencyName = keyof Health['dependencies'];

/** Checks one dependency: returns if it works, otherwise throws the reason. */
export type Check = () => Promise<void>;

interface Watched {
  check: Check;
  everyMs: number;
  health: DependencyHealth;
  timer: NodeJS.Timeout | undefined;
}

const CHECK_TIMEOUT_MS = 3_000;
/** A failing dependency is checked more often, so that its recovery shows soon. */
const DEGRADED_EVERY_MS = 2_000;

/** Checks the dependencies in the background, so that a probe costs nothing and never calls another service. */
export class HealthMonitor {
  readonly #watched: Map<DependencyName, Watched>;
  readonly #version: string;
  readonly #reconciled: () => Health['reconciliation'];

  /** @param reconciled returns what the last comparison of the record with Temporal found. */
  constructor(
    version: string,
    checks: Partial<Record<DependencyName, { check: Check; everyMs: number }>>,
    reconciled: () => Health['reconciliation'],
  ) {
    this.#version = version;
    this.#reconciled = reconciled;
    this.#watched = new Map(
      Object.entries(checks).map(([name, { check, everyMs }]) => [
        name as DependencyName,
        { check, everyMs, health: { status: 'unknown', checked_at: null }, timer: undefined },
      ]),
    );
  }

  /** Starts the checks. */
  start(): void {
    for (const watched of this.#watched.values()) this.#look(watched);
  }

  stop(): void {
    for (const watched of this.#watched.values()) clearTimeout(watched.timer);
    this.#watched.clear();
  }

  /** Returns the results of the last checks. */
  get health(): Health {
    const found = Object.fromEntries([...this.#watched].map(([name, { health }]) => [name, health]));
    const reconciliation = this.#reconciled();
    const degraded =
      [...this.#watched.values()].some(({ health }) => health.status === 'degraded') ||
      (reconciliation?.unresolved ?? 0) > 0;
    return {
      status: degraded ? 'degraded' : 'ok',
      version: this.#version,
      reconciliation,
      dependencies: found as Health['dependencies'],
    };
  }

  async #look(watched: Watched): Promise<void> {
    const fault = await inTime(
      watched.check(),
      CHECK_TIMEOUT_MS,
      `no answer within ${CHECK_TIMEOUT_MS / 1_000} s`,
    ).then(
      () => undefined,
      (error: unknown) => (error as Error).message || 'failed',
    );
    const checked_at = new Date().toISOString();
    watched.health = fault
      ? { status: 'degraded', detail: fault.slice(0, 300), checked_at }
      : { status: 'ok', checked_at };
    if (![...this.#watched.values()].includes(watched)) return;
    watched.timer = setTimeout(
      () => this.#look(watched),
      fault ? Math.min(DEGRADED_EVERY_MS, watched.everyMs) : watched.everyMs,
    );
    watched.timer.unref();
  }
}
