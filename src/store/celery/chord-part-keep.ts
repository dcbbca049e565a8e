import type { ChordPart } from '../../contracts/celery/celery.ts';
import type { Db } from '../database.ts';

const NO_INDEX = -1;

/**
 * Saves how a member of a chord ended. It counts once; if it is redriven, its last end counts.
 * @returns all members that have ended.
 */
export async function keepChordPart(
  db: Db,
  group_id: string,
  { task_id, index, end }: ChordPart,
): Promise<ChordPart[]> {
  const kept_at = new Date().toISOString();
  await db`
    INSERT INTO chord_parts ${db({ group_id, task_id, index: index ?? NO_INDEX, ended: JSON.stringify(end), kept_at })}
    ON CONFLICT (group_id, task_id, index) DO UPDATE SET ended = excluded.ended`;
  // A separate statement: if two members end at once, the one that reads last sees both.
  const rows = await db<Array<{ task_id: string; index: number; ended: ChordPart['end'] }>>`
    SELECT task_id, index, ended FROM chord_parts WHERE group_id = ${group_id}`;
  return rows.map((row) => ({
    task_id: row.task_id,
    index: row.index === NO_INDEX ? null : row.index,
    end: row.ended,
  }));
}
