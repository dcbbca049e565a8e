import type { TaskDependencies } from '../commands/tasks/create-task.ts';
import { endReplaced } from '../commands/tasks/replace-task.ts';
import type { Delivery } from '../contracts/celery/celery.ts';
import { PIDBOX_EXCHANGE } from '../contracts/celery/pidbox.ts';
import { BUILT_IN_QUEUES } from '../contracts/tasks/task-queues.ts';
import { NO_TRACING, TRACE_CONTEXT_HEADERS, type Tracing } from '../contracts/tracing/tracing.ts';
import { DEAD_LETTER_QUEUE, type ReplyWays } from '../integrations/celery/publishing.ts';
import { connectRabbitMq } from '../integrations/celery/rabbitmq.ts';
import type { ResultStore } from '../integrations/celery/result-store.ts';
import { deleteChordParts } from '../store/celery/chord-part-delete.ts';
import { keepChordPart } from '../store/celery/chord-part-keep.ts';
import { onControl } from './control.ts';
import { keepDeadMessages } from './dead-messages.ts';
import { takeDelivery } from './intake.ts';
import type { BridgeMeter } from './meter.ts';
import { Revocations } from './revocations.ts';

export interface BridgeOptions extends TaskDependencies {
  amqpUrl: string;
  /** Unset if clients do not look for results in Redis. */
  results: ResultStore | undefined;
  dedupWindowMs: number;
  /** Name of this process among Celery's workers: `hapax@host`. */
  hostname: string;
  meter: TaskDependencies['meter'] & BridgeMeter;
  /** Omitted if nothing is traced. */
  tracing?: Tracing | undefined;
}

export interface Bridge {
  /** Where the answer workflow sends replies. */
  ways: ReplyWays;
  readonly connected: boolean;
  close(): Promise<void>;
}

/** Messages of one queue whose tasks are started at the same time (`worker_prefetch_multiplier` of Celery). */
const PREFETCH = 4;

/** Interval between polls for newly registered queues, in milliseconds. */
const LOOK_MS = 1_000;

/** Takes messages from RabbitMQ, and follows Celery's `app.control`. It connects in the background, and again after each loss. */
export async function startBridge(options: BridgeOptions): Promise<Bridge> {
  const { results, taskTypes, tracing = NO_TRACING, log } = options;
  const revocations = new Revocations();
  const stopped = new AbortController();
  const rabbit = await connectRabbitMq({
    url: options.amqpUrl,
    queues: BUILT_IN_QUEUES,
    deadLetterQueue: DEAD_LETTER_QUEUE,
    prefetch: PREFETCH,
    controlExchange: PIDBOX_EXCHANGE,
    carrier: tracing.carrier,
    onDelivery: (delivery, lost) =>
      traced(tracing, delivery, () => takeDelivery({ ...options, ways, revocations }, delivery, lost)),
    onControl: (delivery) =>
      void onControl(
        { ...options, prefetch: PREFETCH, revocations, publish: ways.rabbit.publish, stopped: stopped.signal },
        delivery,
      ),
    onState(state) {
      options.meter.brokerConnected(state.connected);
      if (state.connected) log.info('RabbitMQ is connected');
      else log.warn({ reason: state.reason, retry_ms: state.retry_ms }, 'RabbitMQ cannot be reached; trying again');
    },
    onRefused: (queue, reason) =>
      log.warn(
        { queue, reason },
        'RabbitMQ refuses this queue; correct its name or our rights. Trying again every 10 s',
      ),
  });
  const ways: ReplyWays = {
    ...{ rabbit, results, keep: keepDeadMessages(options.db, log) },
    keepChordPart: (groupId, part) => keepChordPart(options.db, groupId, part),
    deleteChordParts: (groupId) => deleteChordParts(options.db, groupId),
    endReplaced: async (taskId, nesting, end) => void (await endReplaced(options, taskId, nesting, end)),
    queueOf: (task) => taskTypes.known(task)?.queue,
  };
  const looking = setInterval(async () => rabbit.consume([...(await taskTypes.queues()).keys()]), LOOK_MS);
  return {
    ways,
    get connected() {
      return rabbit.connected;
    },
    close() {
      clearInterval(looking);
      stopped.abort();
      return rabbit.close();
    },
  };
}

/** Takes a message as part of the trace that its publisher sent along, as OpenTelemetry's instrumentation of Celery does. */
function traced<T>(tracing: Tracing, { queue, headers }: Delivery, take: () => Promise<T>): Promise<T> {
  const sent = TRACE_CONTEXT_HEADERS.flatMap((name) => {
    const value = headers[name];
    return typeof value === 'string' ? [[name, value]] : [];
  });
  const attributes = { 'messaging.system': 'rabbitmq', 'messaging.destination.name': queue };
  const start = { name: `process ${queue}`, kind: 'consumer', attributes, parent: Object.fromEntries(sent) } as const;
  return tracing.within(start, take);
}
