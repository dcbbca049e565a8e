import type { ToldEvent } from '../../contracts/builds/event.ts';
import type { ChordPart } from '../../contracts/celery/celery.ts';
import { exceptionOf } from '../../domain/celery/celery-result.ts';
import { type Db, inTransaction } from '../database.ts';
import { appendEvent } from '../record/event-append.ts';
import { streamHeads } from '../record/stream-heads.ts';
import { type Identified, type StreamKind, streamOf } from '../record/stream-kind.ts';

/** The replacement of how a member of a chord ended. */
const ERASED_PART = JSON.stringify({
  status: 'FAILURE',
  exception: exceptionOf({ type: 'Erased', message: 'its result was erased' }),
} satisfies ChordPart['end']);

/**
 * Records that a build or task was erased, and deletes the values that the record keeps about it beside the log: all or nothing.
 * @throws {IllegalEvent} if it has not ended.
 */
export async function eraseSubject<State extends Identified, Event extends ToldEvent>(
  db: Db,
  kind: StreamKind<State, Event>,
  id: State['id'],
  event: Event,
): Promise<void> {
  const stream = streamOf(kind, id);
  await inTransaction(db, async (tx) => {
    await appendEvent(tx, kind, id, event);
    await tx`DELETE FROM event_values USING events WHERE event_values.position = events.position AND stream = ${stream}`;
    await tx`DELETE FROM callback_targets WHERE stream = ${stream}`;
    // It is a hash without a salt, which would confirm a guess. The key stays taken.
    await tx`UPDATE request_keys SET fingerprint = '' WHERE made = ${stream} AND fingerprint <> ''`;
    if (kind.name !== 'task') return;
    const task_id = String(id);
    await tx`DELETE FROM unnamed_messages WHERE task_id = ${task_id}`;
    await tx`DELETE FROM task_steps WHERE task_id = ${task_id}`;
    await tx`DELETE FROM owed WHERE task_id = ${task_id}`;
    // A chord that still waits for other members counts this one as failed. Without this row, it would wait for ever.
    await tx`UPDATE chord_parts SET ended = ${ERASED_PART}::jsonb WHERE task_id = ${task_id}`;
  });
  streamHeads(db).forget(stream);
}

/** Says whether the record keeps any values about a build or task beside the log. */
export async function hasValuesBeside(db: Db, stream: string): Promise<boolean> {
  const [row] = await db<Array<{ has: boolean }>>`
    SELECT EXISTS (SELECT FROM event_values JOIN events USING (position) WHERE stream = ${stream})
      OR EXISTS (SELECT FROM callback_targets WHERE stream = ${stream}) AS has`;
  return row!.has;
}
