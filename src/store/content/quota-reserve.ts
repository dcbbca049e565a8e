import { eq, lt, sql } from 'drizzle-orm';
import { quotaDaysOfCall } from '../../domain/content/quota-day.ts';
import type { QuotaBucket } from '../../domain/content/youtube-quota.ts';
import { type Db, inTransaction } from '../database.ts';
import { quotaCalls } from '../schema.ts';

/** A call that wants units of a quota. */
export interface QuotaCall {
  /** Identifies the call: it gets its units once, and is made once. */
  key: string;
  /** Who makes it. */
  holder: string;
  bucket: QuotaBucket;
  units: number;
  /** Units of the bucket that may be used in a day, these among them. */
  ceiling: number;
  /** When it is made, epoch milliseconds. */
  at: number;
}

export type QuotaReservation =
  /** The units are taken: the caller, and nobody else, makes the call, once. */
  | { kind: 'granted' }
  /** The call was made before, and this came of it. */
  | { kind: 'settled'; answer: unknown; holder: string; reservedAt: number }
  /** The units were taken before, and whether the call was made is not known. */
  | { kind: 'in_doubt'; holder: string; reservedAt: number }
  /** The day has no units left for it. */
  | { kind: 'refused' };

/** Calls are remembered for as long as a task may be repeated. */
const REMEMBERED_MS = 7 * 86_400_000;

class NoneLeft extends Error {}

/**
 * Takes units for a call, all or none, once per key. They count as used unless {@link releaseQuota} says that the call was
 * not sent, so that no crash leads to more calls than units.
 */
export async function reserveQuota(db: Db, call: QuotaCall): Promise<QuotaReservation> {
  // Now and then one call pays for forgetting the old ones.
  if (Math.random() < 0.01) {
    await db.delete(quotaCalls).where(lt(quotaCalls.reserved_at, new Date(call.at - REMEMBERED_MS).toISOString()));
  }
  try {
    return await inTransaction(db, (tx) => take(tx, call));
  } catch (error) {
    if (error instanceof NoneLeft) return { kind: 'refused' };
    throw error;
  }
}

async function take(tx: Db, { key, holder, bucket, units, ceiling, at }: QuotaCall): Promise<QuotaReservation> {
  const { first, last } = quotaDaysOfCall(at);
  const inserted = await tx
    .insert(quotaCalls)
    .values({ key, holder, bucket, units, first_day: first, last_day: last, reserved_at: new Date(at).toISOString() })
    .onConflictDoNothing()
    .returning({ key: quotaCalls.key });
  if (inserted.length === 0) return standing(tx, key, at);
  const days = first === last ? [first] : [first, last];
  const rows = sql.join(
    days.map((day) => sql`(${bucket}, ${day}::date, ${units}::integer)`),
    sql`, `,
  );
  const taken = await tx.execute(sql`
    INSERT INTO quota_days (bucket, day, units_used)
    SELECT * FROM (VALUES ${rows}) AS wanted (bucket, day, units) WHERE units <= ${ceiling}::integer ORDER BY day
    ON CONFLICT (bucket, day) DO UPDATE SET units_used = quota_days.units_used + excluded.units_used
      WHERE quota_days.units_used + excluded.units_used <= ${ceiling}::integer
    RETURNING day`);
  if (taken.length < days.length) throw new NoneLeft();
  return { kind: 'granted' };
}

async function standing(tx: Db, key: string, at: number): Promise<QuotaReservation> {
  const [call] = await tx.select().from(quotaCalls).where(eq(quotaCalls.key, key));
  // Given back between the two statements.
  if (!call) return { kind: 'in_doubt', holder: '', reservedAt: at };
  const { holder, answer } = call;
  const reservedAt = Date.parse(call.reserved_at);
  return call.settled_at === null
    ? { kind: 'in_doubt', holder, reservedAt }
    : { kind: 'settled', answer, holder, reservedAt };
}
