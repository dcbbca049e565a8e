import type { Db } from './database.ts';

/** What a request with an Idempotency-Key makes. */
export interface ClaimedKey {
  /** Fingerprint of the first request. */
  fingerprint: string;
  /** Name of what the first request makes, such as `task:<id>`. */
  made: string;
  /** Whether the key was claimed before, by another request or by this one. */
  repeated: boolean;
}

/** Claims a key for what a request will make; returns the claim that holds, which is the first. */
export async function claimRequestKey(
  db: Db,
  key: string,
  { fingerprint, made }: Omit<ClaimedKey, 'repeated'>,
): Promise<ClaimedKey> {
  const claim = () =>
    db<Array<{ fingerprint: string; made: string; repeated: boolean }>>`
      WITH claimed AS (
        INSERT INTO request_keys (key, fingerprint, made) VALUES (${key}, ${fingerprint}, ${made})
        ON CONFLICT DO NOTHING RETURNING fingerprint, made
      )
      SELECT fingerprint, made, false AS repeated FROM claimed
      UNION ALL SELECT fingerprint, made, true FROM request_keys WHERE key = ${key}`;
  // If another claim is not committed yet, the first query sees neither row. The second query sees the committed one.
  const [existing = (await claim())[0]] = await claim();
  return existing!;
}
