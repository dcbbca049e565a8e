import { Refusal } from '../commands/refusal.ts';
import { NotPublished } from '../integrations/celery/rabbitmq.ts';
import { databaseFault } from '../store/database.ts';

/** Pauses between tries while Temporal, the database or RabbitMQ is away. */
export const PAUSE_MS = { first: 200, longest: 5_000 } as const;

/** Says whether an error means that Temporal, the database or RabbitMQ is away, so that trying again helps. */
export function isAway(error: unknown): boolean {
  if (error instanceof Refusal) return error.kind === 'unavailable';
  return error instanceof NotPublished || databaseFault(error)?.kind === 'away';
}
