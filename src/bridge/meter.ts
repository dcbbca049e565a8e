import type { RefusalCode } from '../contracts/celery/celery.ts';

/** What is counted of the bridge's work. */
export interface BridgeMeter {
  /** A message is done with: a new task, one that was there before, or refused with this code. */
  messageTaken(queue: string, outcome: 'started' | 'repeated' | RefusalCode): void;

  /** RabbitMQ came or went. */
  brokerConnected(connected: boolean): void;
}
