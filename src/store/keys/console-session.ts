import type { Db } from '../database.ts';

/** Who a session of the console belongs to. */
export type SessionSubject =
  /** A key of the environment. @property proof that it was known; it ends with the secret. */
  | { environment: string; proof: string }
  /** A key that was created. */
  | { key: string }
  /** A person whom an OpenID provider knows. @property name as pages show it. */
  | { claims: Readonly<Record<string, unknown>> & { iss: string; sub: string }; name: string };

/** Keeps a session. @param hash SHA-256 of its cookie, in hexadecimal digits. */
export async function addConsoleSession(
  db: Db,
  hash: string,
  subject: SessionSubject,
  lifeSeconds: number,
): Promise<void> {
  await db`
    INSERT INTO console_sessions (hash, subject, expires_at)
    VALUES (${hash}, ${JSON.stringify(subject)}::jsonb, now() + ${lifeSeconds} * interval '1 second')`;
}

/** Who a session belongs to; undefined where there is none, or its time is over. */
export async function findConsoleSession(db: Db, hash: string): Promise<SessionSubject | undefined> {
  const [row] = await db<Array<{ subject: SessionSubject }>>`
    SELECT subject FROM console_sessions WHERE hash = ${hash} AND expires_at > now()`;
  return row?.subject;
}

export async function deleteConsoleSession(db: Db, hash: string): Promise<void> {
  await db`DELETE FROM console_sessions WHERE hash = ${hash}`;
}
