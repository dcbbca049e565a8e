import type { Db } from '../../src/store/database.ts';

/** Every row of every table that the processes may read, as text. */
export async function dump(db: Db): Promise<string> {
  const tables = await db<Array<{ name: string }>>`
    SELECT relname AS name FROM pg_class
    WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' AND has_table_privilege(oid, 'SELECT')`;
  const texts = await Promise.all(
    tables.map(async ({ name }) => {
      const rows = await db<Array<{ row: string }>>`SELECT to_jsonb(one)::text AS row FROM ${db(name)} AS one`;
      return rows.map(({ row }) => `${name} ${row}`).join('\n');
    }),
  );
  return texts.join('\n');
}
