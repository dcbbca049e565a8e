import type { Db } from './database.ts';

/** What is made under an Idempotency-Key. */
export interface ClaimedKey {
  /** Of the request that was first. */
  fingerprint: string;
  /** Name of what that request makes, as `task:<id>`. */
  made: string;
  /** Another request was first, or this one before. */
  repeated: boolean;
}

/** Claims a key for what a request will make; answers with the claim that stands, which is the first. */
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
  // Who loses to a claim that is not committed yet sees neither; the second time it is.
  const [existing = (await claim())[0]] = await claim();
  return existing!;
}
