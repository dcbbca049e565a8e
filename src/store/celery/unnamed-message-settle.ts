import type { Db } from '../database.ts';

/** Saves that a message without a task id was acknowledged: it will not be delivered again. */
export async function settleUnnamedMessage(db: Db, fingerprint: string): Promise<void> {
  await db`UPDATE unnamed_messages SET settled = true WHERE fingerprint = ${fingerprint}`;
}
