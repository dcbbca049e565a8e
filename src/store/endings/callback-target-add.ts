import type { Db } from '../database.ts';

/**
 * Saves another URL to call about the endings of a subject. @returns its target, even if the URL was saved before;
 * undefined if the subject already has the most URLs that it may have.
 */
export async function addCallbackTarget(
  db: Db,
  stream: string,
  url: string,
  most: number,
): Promise<string | undefined> {
  // If another insert of the same URL wins, the second attempt finds it.
  return (await addOrFind(db, stream, url, most)) ?? (await addOrFind(db, stream, url, most));
}

async function addOrFind(db: Db, stream: string, url: string, most: number): Promise<string | undefined> {
  const [row] = await db<Array<{ target: string }>>`
      WITH existing AS (
        SELECT target FROM callback_targets WHERE stream = ${stream}::text AND md5(url) = md5(${url}::text)
      ), added AS (
        INSERT INTO callback_targets (stream, target, url)
        SELECT ${stream}::text, left(replace(gen_random_uuid()::text, '-', ''), 12), ${url}::text
        WHERE NOT EXISTS (SELECT FROM existing)
          AND (SELECT count(*) FROM callback_targets WHERE stream = ${stream}::text) < ${most}
        ON CONFLICT DO NOTHING
        RETURNING target
      )
      SELECT target FROM existing UNION ALL SELECT target FROM added`;
  return row?.target;
}
