import { Counter, Gauge, Histogram, Registry } from 'prom-client';
import type { ActivityMeter } from '../activities/meter.ts';
import type { ApiMeter } from '../api/meter.ts';
import type { BridgeMeter } from '../bridge/meter.ts';
import { inTime } from '../commands/lifecycle/in-time.ts';
import type { ForgeOptions } from '../integrations/forges/forge.ts';
import type { Db } from '../store/database.ts';
import { measureRecord, type RecordMeasures } from '../store/record/record-measure.ts';
import { createFlowerMetrics } from './flower-metrics.ts';

/** The counters of a process, for the parts that count. */
export interface Metrics extends ApiMeter, ActivityMeter, BridgeMeter {
  githubAnswered: NonNullable<ForgeOptions['onResponse']>;
}

/** How long a scrape waits for the record. Prometheus itself gives up after ten seconds. */
const RECORD_TIMEOUT_MS = 1_000;

/** Builds take minutes to hours. */
const BUILD_BUCKETS_S = [5, 15, 30, 60, 120, 300, 600, 1_200, 1_800, 3_600, 7_200, 10_800, 21_600];
/** A search takes tens of milliseconds, a long transcript minutes, a task that waits for the quota a day. */
const TASK_BUCKETS_S = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 15, 30, 60, 120, 300, 600, 3_600, 86_400];
/** A trigger takes about 10 ms; one that waits for the record or for Temporal takes up to 10 s. */
const HTTP_BUCKETS_S = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** The conclusions of GitHub and our own. Others are counted together, since GitHub may add any number. */
const CONCLUSIONS: ReadonlySet<string> = new Set([
  'success',
  'failure',
  'cancelled',
  'timed_out',
  'startup_failure',
  'action_required',
  'neutral',
  'skipped',
  'stale',
  'run_deleted',
  'dispatch_failed',
  'dispatch_rejected',
  'not_started',
  'workflow_ended',
  'workflow_lost',
]);

/** Creates the metrics of one process, in a registry of their own. */
export function createMetrics(db: Db): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const counted = {
    ...buildMetrics(registers),
    ...taskMetrics(registers),
    ...callbackMetrics(registers),
    ...bridgeMetrics(registers),
    ...githubMetrics(registers),
    ...quotaMetrics(registers),
    ...httpMetrics(registers),
  };
  const observe = recordGauges(registers);
  let measuring: Promise<RecordMeasures> | undefined;
  return {
    ...counted,
    scrapeFlower: createFlowerMetrics(db),
    async scrape() {
      // One query at a time, even if scrapes come faster than a slow database answers.
      measuring ??= measureRecord(db).finally(() => {
        measuring = undefined;
      });
      observe(await inTime(measuring, RECORD_TIMEOUT_MS, 'the database did not answer in time').catch(() => undefined));
      return registry.metrics();
    },
  };
}

/** Starts a counter at 0, which shows its first increase. A counter that starts at 1 hides it. */
function beginAtZero<Label extends string>(counter: Counter<Label>, label: Label, values: string[]): void {
  for (const value of values) counter.inc({ [label]: value } as Record<Label, string>, 0);
}

function secondsBetween(from: string, to: string): number {
  return (Date.parse(to) - Date.parse(from)) / 1_000;
}

function buildMetrics(
  registers: Registry[],
): Pick<Metrics, 'buildAccepted' | 'triggerRefused' | 'dispatched' | 'buildEnded'> {
  const accepted = new Counter({
    name: 'hapax_builds_accepted_total',
    help: 'Triggers answered with 202; replayed: the build existed already.',
    labelNames: ['replayed'],
    registers,
  });
  const refused = new Counter({
    name: 'hapax_triggers_refused_total',
    help: 'Triggers answered with a problem, by its code.',
    labelNames: ['code'],
    registers,
  });
  const dispatches = new Counter({
    name: 'hapax_dispatches_total',
    help: 'Dispatches sent to GitHub, by what came back.',
    labelNames: ['outcome'],
    registers,
  });
  const completed = new Counter({
    name: 'hapax_builds_completed_total',
    help: 'Builds that ended, by status and conclusion; one that is retried ends again.',
    labelNames: ['status', 'conclusion'],
    registers,
  });
  const duration = new Histogram({
    name: 'hapax_build_duration_seconds',
    help: 'From the first acceptance of a build to its end.',
    buckets: BUILD_BUCKETS_S,
    registers,
  });
  beginAtZero(accepted, 'replayed', ['true', 'false']);
  beginAtZero(dispatches, 'outcome', ['accepted', 'rejected', 'not_sent', 'ambiguous']);
  return {
    buildAccepted: ({ replayed }) => accepted.inc({ replayed: String(replayed) }),
    triggerRefused: (code) => refused.inc({ code }),
    dispatched: (outcome) => dispatches.inc({ outcome }),
    buildEnded({ status, conclusion, created_at, completed_at }) {
      completed.inc({ status, conclusion: conclusion !== null && CONCLUSIONS.has(conclusion) ? conclusion : 'other' });
      if (completed_at !== null) duration.observe(secondsBetween(created_at, completed_at));
    },
  };
}

function taskMetrics(registers: Registry[]): Pick<Metrics, 'taskAccepted' | 'taskEnded'> {
  const accepted = new Counter({
    name: 'hapax_tasks_accepted_total',
    help: 'Requests for tasks that were accepted; replayed: the task existed already.',
    labelNames: ['name', 'replayed'],
    registers,
  });
  const completed = new Counter({
    name: 'hapax_tasks_completed_total',
    help: 'Tasks that ended, by name and status; one that is begun again ends again.',
    labelNames: ['name', 'status'],
    registers,
  });
  const duration = new Histogram({
    name: 'hapax_task_duration_seconds',
    help: 'From the first acceptance of a task to its end, by name.',
    labelNames: ['name'],
    buckets: TASK_BUCKETS_S,
    registers,
  });
  return {
    taskAccepted: ({ name, replayed }) => accepted.inc({ name, replayed: String(replayed) }),
    taskEnded({ name, status, created_at, completed_at }) {
      completed.inc({ name, status });
      if (completed_at !== null) duration.observe({ name }, secondsBetween(created_at, completed_at));
    },
  };
}

function callbackMetrics(registers: Registry[]): Pick<Metrics, 'callbackTried'> {
  const tries = new Counter({
    name: 'hapax_callbacks_total',
    help: 'Tries to deliver a callback: delivered, failed with another to come, or given_up.',
    labelNames: ['outcome'],
    registers,
  });
  beginAtZero(tries, 'outcome', ['delivered', 'failed', 'given_up']);
  return { callbackTried: (outcome) => tries.inc({ outcome }) };
}

function bridgeMetrics(registers: Registry[]): BridgeMeter {
  const messages = new Counter({
    name: 'hapax_bridge_messages_total',
    help: 'Messages taken from RabbitMQ: started, repeated (the task was there before), or why they were refused.',
    labelNames: ['queue', 'outcome'],
    registers,
  });
  const connected = new Gauge({
    name: 'hapax_bridge_connected',
    help: 'Whether the bridge is connected to RabbitMQ; absent where no bridge runs.',
    registers,
  });
  connected.remove();
  return {
    messageTaken: (queue, outcome) => messages.inc({ queue, outcome }),
    brokerConnected: (is) => connected.set(is ? 1 : 0),
  };
}

function githubMetrics(registers: Registry[]): Pick<Metrics, 'githubAnswered' | 'deliveriesSwept'> {
  const requests = new Counter({
    name: 'hapax_github_requests_total',
    help: 'Requests to GitHub, by route and status; status none: no answer came.',
    labelNames: ['operation', 'status'],
    registers,
  });
  const remaining = new Gauge({
    name: 'hapax_github_rate_limit_remaining',
    help: 'Requests left in the window of the rate limit, as of the last answer that said.',
    registers,
  });
  remaining.remove();
  const sweeps = new Counter({
    name: 'hapax_webhook_sweeps_total',
    help: 'Looks for missed webhooks of a repository, by outcome.',
    labelNames: ['outcome'],
    registers,
  });
  const redelivered = new Counter({
    name: 'hapax_webhooks_redelivered_total',
    help: 'Missed webhooks that GitHub was asked to send again.',
    registers,
  });
  beginAtZero(sweeps, 'outcome', ['done', 'not_allowed', 'failed']);
  return {
    githubAnswered(operation, status, left) {
      requests.inc({ operation, status: status ?? 'none' });
      if (left !== undefined) remaining.set(left);
    },
    deliveriesSwept(outcome, count) {
      sweeps.inc({ outcome });
      redelivered.inc(count);
    },
  };
}

function quotaMetrics(registers: Registry[]): Pick<Metrics, 'quotaAsked'> {
  const requests = new Counter({
    name: 'hapax_youtube_quota_requests_total',
    help: 'Calls that asked for units of the YouTube Data API: granted, refused, or waiting for more.',
    labelNames: ['outcome'],
    registers,
  });
  beginAtZero(requests, 'outcome', ['granted', 'refused', 'waiting']);
  return { quotaAsked: (outcome) => requests.inc({ outcome }) };
}

function httpMetrics(registers: Registry[]): Pick<Metrics, 'answered'> {
  const durations = new Histogram({
    name: 'hapax_http_request_duration_seconds',
    help: 'From a request to the head of its answer; streams go on after that.',
    labelNames: ['route', 'method', 'status'],
    buckets: HTTP_BUCKETS_S,
    registers,
  });
  return { answered: ({ route, method, status }, seconds) => durations.observe({ route, method, status }, seconds) };
}

/** Creates the series that each scrape reads from the record. If the record does not answer, only `hapax_postgres_up 0` remains. */
function recordGauges(registers: Registry[]): (measures: RecordMeasures | undefined) => void {
  const gauge = (name: string, help: string) => new Gauge({ name, help, registers });
  const up = gauge('hapax_postgres_up', 'Whether the database answered this scrape within a second.');
  const ofQueue = (name: string, help: string) => new Gauge({ name, help, labelNames: ['queue'], registers });
  const depth = ofQueue('hapax_queue_depth', 'Builds or tasks accepted and not begun.');
  const age = ofQueue(
    'hapax_queue_oldest_age_seconds',
    'Since the oldest of these was accepted, or since the eta of a task; 0 where none waits. A build behind another in progress does not count.',
  );
  const inFlight = ofQueue('hapax_queue_in_flight', 'Builds or tasks begun and not ended.');
  const dead = gauge('hapax_dead_letters', 'What ended after its last retry or waits for an operator.');
  const youtube = gauge('hapax_youtube_quota_used_units', 'Units of the YouTube Data API given away today.');
  const checkpoint = gauge(
    'hapax_checkpoint_age_seconds',
    'Since the last checkpoint was signed; 0 where no event came after it, absent where there is none.',
  );
  const events = new Counter({
    name: 'hapax_events_total',
    help: 'Highest position in the log: its events, and the few numbers that lost races left out.',
    registers,
  });
  return (measures) => {
    up.set(measures ? 1 : 0);
    events.reset();
    if (!measures) {
      for (const absent of [depth, age, inFlight]) absent.reset();
      for (const absent of [dead, youtube, checkpoint, events]) absent.remove();
      return;
    }
    for (const { name: queue, ...measured } of measures.queues) {
      depth.set({ queue }, measured.depth);
      age.set({ queue }, measured.oldestAgeSeconds ?? 0);
      inFlight.set({ queue }, measured.inFlight);
    }
    dead.set(measures.deadLetters);
    youtube.set(measures.youtubeUnitsUsed);
    if (measures.checkpointAgeSeconds === null) checkpoint.remove();
    else checkpoint.set(measures.checkpointAgeSeconds);
    events.inc(measures.lastPosition);
  };
}
