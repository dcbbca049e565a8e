import type { Db } from '../database.ts';

/** The owner of a session of the console. */
export type SessionSubject =
  /** A key of the environment. @property proof shows that the owner knew the key; it fails once the secret is changed. */
  | { environment: string; proof: string }
  /** A key that was created. */
  | { key: string }
  /** A person whom an OpenID provider knows. @property name the name that pages show. */
  | { claims: Readonly<Record<string, unknown>> & { iss: string; sub: string }; name: string };

/** Saves a session. @param hash SHA-256 of its cookie, in hexadecimal digits. */
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

/** Finds the owner of a session; undefined if there is no such session, or it has expired. */
export async function findConsoleSession(db: Db, hash: string): Promise<SessionSubject | undefined> {
  const [row] = await db<Array<{ subject: SessionSubject }>>`
    SELECT subject FROM console_sessions WHERE hash = ${hash} AND expires_at > now()`;
  return row?.subject;
}

export async function deleteConsoleSession(db: Db, hash: string): Promise<void> {
  await db`DELETE FROM console_sessions WHERE hash = ${hash}`;
}
