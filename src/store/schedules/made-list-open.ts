import type { Db } from '../database.ts';

/**
 * Returns which of these builds and tasks (`build:12`, `task:<id>`) have not ended. Ones that the record does not know count as ended.
 */
export async function listOpenOf(db: Db, made: readonly string[]): Promise<Set<string>> {
  if (made.length === 0) return new Set();
  const idsOf = (kind: string) => made.filter((one) => one.startsWith(kind)).map((one) => one.slice(kind.length));
  const rows = await db<Array<{ made: string }>>`
    SELECT 'build:' || id AS made FROM builds
    WHERE id IN (SELECT value::bigint FROM jsonb_array_elements_text(${JSON.stringify(idsOf('build:'))}::jsonb)) AND completed_at IS NULL
    UNION ALL
    SELECT 'task:' || id FROM tasks
    WHERE id IN (SELECT jsonb_array_elements_text(${JSON.stringify(idsOf('task:'))}::jsonb)) AND completed_at IS NULL`;
  return new Set(rows.map(({ made }) => made));
}
