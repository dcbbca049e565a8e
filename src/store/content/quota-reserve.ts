import { quotaDaysOfCall } from '../../domain/content/quota-day.ts';
import { type Db, inTransaction, join } from '../database.ts';
import { QUOTA_BUCKET as bucket } from './quota-bucket.ts';

/** A call that needs units of a quota. */
export interface QuotaCall {
  /** Identifies the call. It gets its units once, and is made once. */
  key: string;
  /** Id of the task that makes it. */
  holder: string;
  units: number;
  /** How many units may be used in a day, including these. Undefined: the call uses none, and only takes its turn. */
  ceiling: number | undefined;
  /** The time of the call, epoch milliseconds. */
  at: number;
}

export type QuotaReservation =
  /** The units are taken. The caller, and nobody else, makes the call, once. */
  | { kind: 'granted' }
  /** The call was made before; this is its result. */
  | { kind: 'settled'; answer: unknown; holder: string; reservedAt: number }
  /** The units were taken before. Nobody knows whether the call was made. */
  | { kind: 'in_doubt'; holder: string; reservedAt: number }
  /** The day does not have enough units left. */
  | { kind: 'refused' };

class NoneLeft extends Error {}

/**
 * Takes units for a call, all or none, once per key. They count as used unless {@link releaseQuota} says that the call was
 * not sent, so that no crash leads to more calls than units.
 */
export async function reserveQuota(db: Db, call: QuotaCall): Promise<QuotaReservation> {
  try {
    return await inTransaction(db, (tx) => take(tx, call));
  } catch (error) {
    if (error instanceof NoneLeft) return { kind: 'refused' };
    throw error;
  }
}

async function take(tx: Db, { key, holder, units, ceiling, at }: QuotaCall): Promise<QuotaReservation> {
  const { first, last } = quotaDaysOfCall(at);
  const row = { key, holder, bucket, units, first_day: first, last_day: last, reserved_at: new Date(at).toISOString() };
  const { count: inserted } = await tx`INSERT INTO quota_calls ${tx(row)} ON CONFLICT DO NOTHING`;
  if (inserted === 0) return existingReservation(tx, key, at);
  if (ceiling === undefined) return { kind: 'granted' };
  const days = first === last ? [first] : [first, last];
  const rows = join(
    tx,
    days.map((day) => tx`(${bucket}, ${day}::date, ${units}::integer)`),
    tx`, `,
  );
  const taken = await tx`
    INSERT INTO quota_days (bucket, day, units_used)
    SELECT * FROM (VALUES ${rows}) AS wanted (bucket, day, units) WHERE units <= ${ceiling}::integer ORDER BY day
    ON CONFLICT (bucket, day) DO UPDATE SET units_used = quota_days.units_used + excluded.units_used
      WHERE quota_days.units_used + excluded.units_used <= ${ceiling}::integer
    RETURNING day`;
  if (taken.length < days.length) throw new NoneLeft();
  return { kind: 'granted' };
}

async function existingReservation(tx: Db, key: string, at: number): Promise<QuotaReservation> {
  const [call] = await tx<Array<{ holder: string; answer: unknown; reserved_at: string; settled_at: string | null }>>`
    SELECT holder, answer, reserved_at, settled_at FROM quota_calls WHERE key = ${key}`;
  // The call was released between the two statements.
  if (!call) return { kind: 'in_doubt', holder: '', reservedAt: at };
  const { holder, answer } = call;
  const reservedAt = Date.parse(call.reserved_at);
  return call.settled_at === null
    ? { kind: 'in_doubt', holder, reservedAt }
    : { kind: 'settled', answer, holder, reservedAt };
}
