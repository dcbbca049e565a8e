import type { BuildRequest } from '../../contracts/builds/event.ts';
import type { Db } from '../database.ts';

/** A repository of a forge. */
export type Place = Pick<BuildRequest, 'forge' | 'repository'>;

/** Lists the repositories of builds that ended within this time. */
export async function listPlacesOfBuilds(db: Db, withinMs: number): Promise<Place[]> {
  const places = await db<Array<{ forge: Place['forge'] | null; repository: string }>>`
    SELECT DISTINCT request -> 'forge' AS forge, request ->> 'repository' AS repository FROM builds
    WHERE completed_at > clock_timestamp() - ${withinMs}::float8 * interval '1 millisecond'`;
  return places.map(({ forge, repository }) => ({ repository, ...(forge ? { forge } : {}) }));
}
