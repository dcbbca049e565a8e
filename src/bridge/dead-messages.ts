import type { Logger } from 'pino';
import type { MessageRefusal } from '../contracts/celery/celery.ts';
import { nameUuid } from '../domain/name-uuid.ts';
import { storableText } from '../domain/record/storable.ts';
import type { Buried } from '../integrations/celery/publishing.ts';
import { saveDeadMessage } from '../store/celery/dead-message-save.ts';
import { type Db, databaseFault } from '../store/database.ts';

/** Returns a function that keeps refused messages in Postgres, for GET /dlq. It throws while the database cannot be reached. */
export function keepDeadMessages(db: Db, log: Logger): (buried: Buried, refusal: MessageRefusal) => Promise<void> {
  // While RabbitMQ cannot be reached, a message waits here; it is then refused once, not twice.
  const kept = new WeakSet<Uint8Array>();
  return async ({ message: { mandatory: _, ...message }, from, task_id, task }, { code, detail }) => {
    const { body, ...said } = message;
    if (kept.has(body)) return;
    const publication = storableText(JSON.stringify(said));
    const base64 = Buffer.from(body).toString('base64');
    const text = (value: string | null) => (value === null ? null : storableText(value));
    try {
      await saveDeadMessage(db, {
        id: nameUuid(`dead message ${from} ${publication} ${base64}`),
        queue: storableText(from),
        reason: code,
        detail: storableText(detail).slice(0, 500),
        task_id: text(task_id),
        task: text(task)?.slice(0, 255) ?? null,
        publication,
        body: base64,
      });
      kept.add(body);
    } catch (error) {
      const kind = databaseFault(error)?.kind;
      if (kind !== 'fault' && kind !== 'values') throw error;
      log.error({ err: error, queue: from }, 'a refused message is in hapax.dead-letter alone');
    }
  };
}
