import type { RefusalCode } from '../contracts/celery/celery.ts';

/** The bridge's counters. */
export interface BridgeMeter {
  /** Counts a handled message: it made a new task, meant an existing one, or was refused with this code. */
  messageTaken(queue: string, outcome: 'started' | 'repeated' | RefusalCode): void;

  /** Notes that the connection to RabbitMQ was made or lost. */
  brokerConnected(connected: boolean): void;
}
