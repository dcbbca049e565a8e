import type { Db } from '../database.ts';

/** Tables that a backup leaves out, with the reason. */
const LEFT_OUT = [
  'events', // the log, which a backup holds in a file of its own
  'builds', // made from the log
  'tasks', // made from the log
  'schedules', // made from the log
  'erasures', // made from the log
  'log_tree', // grows again from the log
  'log_tiles', // grow again from the log
  'console_sessions', // people sign in again
  'keys', // made from the log
  'schedule_turns', // claims that last some seconds
  'installation', // in the manifest; a restored one enters a new epoch
  'github_writes', // present rate limits
  'delivery_sweeps', // when the last sweep was
  'content_sweeps', // when the last sweep was
  'queue_samples', // charts of the last days
] as const;

/** A table of the record beside the log, with what a restore needs to know. */
export interface BackupTable {
  name: string;
  /** The columns to write. The database makes the others. */
  columns: string[];
}

/** Lists the tables that a backup holds beside the log, each after the tables that it refers to. */
export async function listBackupTables(db: Db): Promise<BackupTable[]> {
  const tables = await db<Array<{ name: string; columns: string[]; refers_to: string[] }>>`
    SELECT relname AS name,
      (SELECT jsonb_agg(attname ORDER BY attnum) FROM pg_attribute
       WHERE attrelid = pg_class.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = '') AS columns,
      (SELECT coalesce(jsonb_agg(DISTINCT confrelid::regclass::text), '[]') FROM pg_constraint
       WHERE conrelid = pg_class.oid AND contype = 'f' AND confrelid <> conrelid) AS refers_to
    FROM pg_class
    WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r'
      AND NOT jsonb_exists(${JSON.stringify(LEFT_OUT)}::jsonb, relname)
    ORDER BY relname`;
  const sorted: BackupTable[] = [];
  const isPlaced = (name: string) => sorted.some((table) => table.name === name);
  for (let left = [...tables]; left.length > 0; ) {
    const next = left.filter(({ refers_to }) =>
      refers_to.every((name) => isPlaced(name) || !left.some((table) => table.name === name)),
    );
    if (next.length === 0) throw new Error(`tables refer to each other: ${left.map(({ name }) => name).join(', ')}`);
    sorted.push(...next.map(({ name, columns }) => ({ name, columns })));
    left = left.filter((table) => !next.includes(table));
  }
  return sorted;
}
