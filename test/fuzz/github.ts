import { asyncLocalStorage } from '@temporalio/activity';
import { Hono } from 'hono';
import { addEndpoints } from '../../src/simulator/endpoints.ts';
import { type Fault, type FaultQueue, faultQueue, faultSchema, type RequestKind } from '../../src/simulator/faults.ts';
import { openGate } from '../../src/simulator/gate.ts';
import { addJobEndpoints } from '../../src/simulator/job-endpoints.ts';
import { openJournal } from '../../src/simulator/journal.ts';
import { type Ledger, openLedger } from '../../src/simulator/ledger.ts';
import { type Run, runAt, timeline } from '../../src/simulator/run.ts';
import { defaultSettings, type Settings } from '../../src/simulator/settings.ts';
import { currentProcess, type Process, type VirtualClock } from './clock.ts';
import type { Dice } from './dice.ts';

export const GITHUB_URL = 'http://github.simulated';
export const REPOSITORY = 'acme/images';

/** A request that an activity made, as GitHub saw it. */
export interface Seen {
  at: number;
  kind: RequestKind;
  workflowId: string;
  runId: string;
  activity: string;
  /** The attempt of an activity that it was part of. */
  context: object;
  /** Of a dispatch: the token that it carried. */
  token: string | undefined;
  /** A run was made, or another attempt of one. */
  carriedOut: boolean;
  /** The status that reached whoever asked; undefined where none did. */
  answered: number | undefined;
  /** Of a listing that reached whoever asked: the titles on the page, and whether it was the last. */
  titles: string[] | undefined;
}

/** What may go wrong between a process and GitHub, and when a process dies of it. */
export interface Crossing {
  latency(): number;
  /** May kill the process that crosses. */
  point(name: string): void;
  /** The code of a connection that cannot be made now; undefined where it can. */
  refused(): string | undefined;
}

/** How long a request is waited for that is never answered. */
const REQUEST_TIMEOUT_MS = 15_000;

/**
 * The simulated GitHub in this process: its own endpoints, faults and ledger, reached without sockets and living in
 * virtual time.
 */
export class VirtualGitHub {
  settings: Settings = { ...defaultSettings, rate_limit: 1_000_000 };
  readonly faults: FaultQueue = faultQueue();
  readonly ledger: Ledger;
  readonly seen: Seen[] = [];
  readonly #clock: VirtualClock;
  readonly #crossing: Crossing;
  readonly #app = new Hono();
  readonly #watched = new Set<string>();

  /** @param changed hears of every state that a run enters, when it does */
  constructor(clock: VirtualClock, crossing: Crossing, changed: (run: Run) => void) {
    this.#clock = clock;
    this.#crossing = crossing;
    this.ledger = openLedger(
      openJournal(undefined),
      () => this.settings,
      (run) => this.#watch(run, changed),
    );
    const current = () => this.settings;
    const gate = openGate(this.ledger, this.faults, current);
    addEndpoints(this.#app as never, gate, this.ledger, current);
    addJobEndpoints(this.#app as never, gate, this.ledger, current);
  }

  fault(fault: Partial<Fault> & Pick<Fault, 'on' | 'kind'>): void {
    this.faults.add([faultSchema.parse(fault)]);
  }

  /** Whether a run is neither over nor deleted. */
  isLive(run: Run): boolean {
    const state = runAt(run, this.#clock.now);
    return state !== undefined && state.status !== 'completed';
  }

  /** Runs that carry a token of a build. */
  runsOf(buildId: number): Run[] {
    return this.ledger.all().filter(({ token }) => token?.startsWith(`hapax-${buildId}-`));
  }

  /** Stands for the global `fetch` of the process that calls it. */
  async fetch(url: string, options: RequestInit): Promise<Response> {
    const process = currentProcess();
    const { info } = asyncLocalStorage.getStore() ?? {};
    const request = new Request(url, {
      method: options.method ?? 'GET',
      headers: options.headers ?? {},
      body: options.body ?? null,
    });
    const text = typeof options.body === 'string' ? options.body : '';
    const seen: Seen = {
      at: 0,
      kind: kindOf(options.method ?? 'GET', new URL(url).pathname),
      workflowId: info?.workflowExecution?.workflowId ?? '',
      runId: info?.workflowExecution?.runId ?? '',
      activity: info?.activityType ?? '',
      context: info ?? {},
      token: /hapax-\d+-\d+-[0-9a-f]{12}/.exec(text)?.[0],
      carriedOut: false,
      answered: undefined,
      titles: undefined,
    };
    await this.#pass(process, `${seen.kind}:before`);
    const code = this.#crossing.refused();
    if (code) throw failed(code);

    let reset = false;
    const socket = { resetAndDestroy: () => (reset = true) };
    seen.at = this.#clock.now;
    this.seen.push(seen);
    const before = attemptsIn(this.ledger);
    const { answer, body } = await this.#clock.turning(this.#ask(request, { incoming: { socket } }));
    seen.carriedOut = attemptsIn(this.ledger) > before;
    if (!reset && answer.headers.has('x-hono-already-sent')) {
      await this.#clock.sleep(REQUEST_TIMEOUT_MS, process);
      throw new DOMException('The operation was aborted due to timeout', 'TimeoutError');
    }
    await this.#pass(process, `${seen.kind}:after`);
    if (reset) throw failed('ECONNRESET');
    seen.answered = answer.status;
    if (seen.kind === 'list' && answer.status === 200) {
      const page = JSON.parse(body) as { workflow_runs: Array<{ display_title: string }> };
      seen.titles = page.workflow_runs.map((run) => run.display_title);
    }
    const { status, headers, ok } = answer;
    return { status, headers, ok, url, text: async () => body } as Response;
  }

  async #ask(request: Request, environment: object): Promise<{ answer: Response; body: string }> {
    const answer = await this.#app.fetch(request, environment);
    return { answer, body: await answer.text() };
  }

  async #pass(process: Process, name: string): Promise<void> {
    await this.#clock.sleep(this.#crossing.latency(), process);
    this.#crossing.point(name);
    await process.survived();
  }

  #watch(run: Run, changed: (run: Run) => void): void {
    for (const { at, attempt, status } of timeline(run)) {
      const name = `${run.id}:${attempt}:${at}:${status}`;
      if (this.#watched.has(name)) continue;
      this.#watched.add(name);
      // What was planned may have been overtaken, as by a cancellation.
      this.#clock.after(at - this.#clock.now, () => {
        if (runAt(run, this.#clock.now)?.status === status) changed(run);
      });
    }
  }
}

function attemptsIn(ledger: Ledger): number {
  return ledger.all().reduce((sum, run) => sum + run.attempts.length, 0);
}

/** What undici throws. */
function failed(code: string): TypeError {
  return new TypeError('fetch failed', { cause: Object.assign(new Error(code), { code }) });
}

function kindOf(method: string, path: string): RequestKind {
  if (path.endsWith('/dispatches')) return 'dispatch';
  if (path.endsWith('/cancel')) return 'cancel';
  if (/\/rerun(-failed-jobs)?$/.test(path)) return 'rerun';
  if (path.endsWith('/runs')) return 'list';
  if (path.endsWith('/jobs')) return 'jobs';
  if (path.endsWith('/annotations')) return 'annotations';
  if (/\/workflows\/[^/]+$/.test(path)) return 'workflow';
  return method === 'DELETE' ? 'delete' : 'get';
}

const AMBIGUOUS = [
  'accept-then-500',
  'accept-then-502',
  'accept-then-503',
  'accept-then-504',
  'accept-then-reset',
  'accept-then-hang',
] as const;
const LOST = ['reject-with-500', 'reject-with-502', 'reject-with-503', 'reject-with-504', 'reset', 'hang'] as const;
const LIMITS = ['primary-rate-limit', 'secondary-rate-limit'] as const;
const REFUSALS = [
  'reject-with-401',
  'reject-with-403',
  'reject-with-404',
  'reject-with-409',
  'reject-with-422',
] as const;
const SPOILT = ['malformed-200', '200-without-id', '204-when-asked-for-details', '400-on-unknown-field'] as const;

/** A fault of a kind that GitHub has shown; listings lie only where they may. */
export function drawFault(dice: Dice, mayLie: boolean): Partial<Fault> & Pick<Fault, 'on' | 'kind'> {
  const on = dice.pick(['dispatch', 'dispatch', 'dispatch', 'list', 'list', 'get', 'cancel', 'rerun'] as const);
  const kinds: readonly Fault['kind'][] =
    on === 'dispatch'
      ? dice.pick([AMBIGUOUS, AMBIGUOUS, LOST, LOST, LIMITS, SPOILT, REFUSALS])
      : on === 'list'
        ? dice.pick([LOST, LIMITS, ...(mayLie ? [['lag', 'omit', 'stale'] as const] : [])])
        : dice.pick([AMBIGUOUS, LOST, LIMITS]);
  return {
    on,
    kind: dice.pick(kinds),
    times: dice.pick([1, 1, 2, 4]),
    ms: dice.between(1_000, 600_000),
    reset_in_s: dice.between(1, 900),
    ...(dice.chance(0.5) ? { retry_after_s: dice.between(0, 300) } : {}),
  };
}
