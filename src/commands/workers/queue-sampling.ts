import type { Logger } from 'pino';
import type { Db } from '../../store/database.ts';
import { sampleQueues } from '../../store/tasks/queue-sample.ts';
import { type Repeating, repeat } from '../lifecycle/repeat.ts';

/** Pause between tries. A minute is missed only if all processes miss three tries. */
const EVERY_MS = 20_000;

/** Samples the queues once a minute, for their history. Each process with the API tries; the database lets one do it. */
export function startQueueSampling({ db, log }: { db: Db; log: Logger }): Repeating {
  return repeat(async () => {
    await sampleQueues(db).catch((err: unknown) => log.debug({ err }, 'the queues could not be sampled'));
    return EVERY_MS;
  });
}
