import type { RedeliverInput } from '../contracts/celery/dead-message.ts';
import { answers } from './activities.ts';

/** Publishes a refused message again, however long the bridge or RabbitMQ is down. */
export async function redeliver(input: RedeliverInput): Promise<void> {
  await answers.publishAgain(input);
}
