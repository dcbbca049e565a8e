import type { Db } from '../database.ts';

/** Lists id and name of every build configuration that is not retired, by name. */
export function listNamedConfigurations(db: Db): Promise<Array<{ id: number; name: string }>> {
  return db<Array<{ id: number; name: string }>>`
    SELECT id, name FROM (SELECT DISTINCT ON (id) id, name, retired FROM configurations ORDER BY id, version DESC) AS newest
    WHERE NOT retired ORDER BY name`;
}
