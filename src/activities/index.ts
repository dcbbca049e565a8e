import type { GitHub } from '../integrations/github.ts';
import type { Db } from '../store/database.ts';
import type { GitHubPort } from '../workflows/ports/github.ts';
import type { LanePort } from '../workflows/ports/lane.ts';
import type { RecordPort } from '../workflows/ports/record.ts';
import { toFailure } from './failures.ts';
import { githubActivities } from './github.ts';
import { laneActivities } from './lane.ts';
import type { ActivityMeter } from './meter.ts';
import { recordActivities } from './record.ts';

export interface ActivityDependencies {
  db: Db;
  github: GitHub;
  meter?: ActivityMeter | undefined;
}

/** The activities of a worker, each with its errors turned into Temporal's. */
export function createActivities({ db, github, meter }: ActivityDependencies): RecordPort & LanePort & GitHubPort {
  const activities = { ...recordActivities(db, meter), ...laneActivities(db), ...githubActivities(github, meter) };
  return Object.fromEntries(Object.entries(activities).map(([name, run]) => [name, failing(run)])) as typeof activities;
}

function failing(run: (request: never) => Promise<unknown>) {
  return async (request: never) => {
    try {
      return await run(request);
    } catch (error) {
      throw toFailure(error);
    }
  };
}
