import type { Db } from '../database.ts';

/** Lists the repositories of all build configurations in use that reach GitHub with the credential of the settings. */
export async function listRepositories(db: Db): Promise<string[]> {
  const rows = await db<Array<{ repository: string }>>`
    SELECT DISTINCT definition ->> 'repository' AS repository FROM configurations
    WHERE NOT retired AND definition ->> 'credential' IS NULL
      AND NOT EXISTS (SELECT FROM configurations later WHERE later.id = configurations.id AND later.version > configurations.version)
    ORDER BY repository`;
  return rows.map(({ repository }) => repository);
}
