import type { TaskDependencies } from '../commands/tasks/create-task.ts';
import { endReplaced } from '../commands/tasks/replace-task.ts';
import { PIDBOX_EXCHANGE } from '../contracts/celery/pidbox.ts';
import { BUILT_IN_QUEUES } from '../contracts/tasks/task-queues.ts';
import { DEAD_LETTER_QUEUE, type ReplyWays } from '../integrations/celery/publishing.ts';
import { connectRabbitMq } from '../integrations/celery/rabbitmq.ts';
import type { ResultStore } from '../integrations/celery/result-store.ts';
import { keepChordPart } from '../store/celery/chord-part-keep.ts';
import { onControl } from './control.ts';
import { keepDeadMessages } from './dead-messages.ts';
import { takeDelivery } from './intake.ts';
import type { BridgeMeter } from './meter.ts';
import { Revocations } from './revocations.ts';

export interface BridgeOptions extends TaskDependencies {
  amqpUrl: string;
  /** Unset: clients do not look for results in Redis. */
  results: ResultStore | undefined;
  dedupWindowMs: number;
  /** Name of this process among Celery's workers: `hapax@host`. */
  hostname: string;
  meter: TaskDependencies['meter'] & BridgeMeter;
}

export interface Bridge {
  /** Where the answer workflow sends replies. */
  ways: ReplyWays;
  readonly connected: boolean;
  close(): Promise<void>;
}

/** Messages of one queue that are being started at once (seed 003, `worker_prefetch_multiplier`). */
const PREFETCH = 4;

/** How often to look for queues that somebody has registered. */
const LOOK_MS = 1_000;

/** Takes messages from RabbitMQ, and follows what Celery's `app.control` says. It connects in the background, as often as needed. */
export async function startBridge(options: BridgeOptions): Promise<Bridge> {
  const { results, taskTypes, log } = options;
  const revocations = new Revocations();
  const rabbit = await connectRabbitMq({
    url: options.amqpUrl,
    queues: BUILT_IN_QUEUES,
    deadLetterQueue: DEAD_LETTER_QUEUE,
    prefetch: PREFETCH,
    controlExchange: PIDBOX_EXCHANGE,
    onDelivery: (delivery, lost) => takeDelivery({ ...options, ways, revocations }, delivery, lost),
    onControl: (delivery) =>
      void onControl({ ...options, prefetch: PREFETCH, revocations, publish: ways.rabbit.publish }, delivery),
    onState(state) {
      options.meter.brokerConnected(state.connected);
      if (state.connected) log.info('RabbitMQ is connected');
      else log.warn({ reason: state.reason, retry_ms: state.retry_ms }, 'RabbitMQ cannot be reached; trying again');
    },
  });
  const ways: ReplyWays = {
    ...{ rabbit, results, keep: keepDeadMessages(options.db, log) },
    keepChordPart: (groupId, part) => keepChordPart(options.db, groupId, part),
    endReplaced: (taskId, nesting, end) => endReplaced(options, taskId, nesting, end),
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
      return rabbit.close();
    },
  };
}
