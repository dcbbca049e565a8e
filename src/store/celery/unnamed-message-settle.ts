import { eq } from 'drizzle-orm';
import type { Db } from '../database.ts';
import { unnamedMessages } from '../schema.ts';

/** Notes that a message without a task id was acknowledged: it will not be delivered again. */
export async function settleUnnamedMessage(db: Db, fingerprint: string): Promise<void> {
  await db.update(unnamedMessages).set({ settled: true }).where(eq(unnamedMessages.fingerprint, fingerprint));
}
