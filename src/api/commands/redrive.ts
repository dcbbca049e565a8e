import type { z } from 'zod';
import type { RecordedEvent } from '../../contracts/event.ts';
import type { redriveAnswer, redriveBody } from '../../contracts/operator.ts';
import type { Build } from '../../domain/build.ts';
import { findBuild } from '../../store/build-find.ts';
import { findBuildWithEvents } from '../../store/build-find-with-events.ts';
import { listBuilds } from '../../store/build-list.ts';
import { BUILDS, buildStream } from '../../store/build-stream.ts';
import { appendEvent } from '../../store/event-append.ts';
import { ApiError } from '../problem.ts';
import { type OperateDependencies, retryBuild } from './operate-build.ts';

/** The dead build that an id names. @throws {ApiError} 404 where there is none, or it is no dead letter (any more). */
export async function deadBuild({ db }: Pick<OperateDependencies, 'db'>, id: string): Promise<Build> {
  const build = await findBuild(db, buildIdOf(id));
  if (!build || !isDead(build)) throw noDeadLetter(id);
  return build;
}

/** The dead build that an id names, with all its events. @throws {ApiError} 404 as {@link deadBuild}. */
export async function deadBuildWithEvents(
  { db }: Pick<OperateDependencies, 'db'>,
  id: string,
): Promise<{ build: Build; events: RecordedEvent[] }> {
  const found = await findBuildWithEvents(db, buildIdOf(id));
  if (!found || !isDead(found.build)) throw noDeadLetter(id);
  return found;
}

function buildIdOf(id: string): number {
  return Number(id.split(':')[1]);
}

function isDead({ dead_lettered, needs_attention }: Build): boolean {
  return dead_lettered || needs_attention;
}

function noDeadLetter(id: string): ApiError {
  return new ApiError('not_found', { detail: `${id} is no dead letter` });
}

/** Begins a dead build again with another dispatch. @throws {ApiError} 404, 409 */
export async function redriveBuild(deps: OperateDependencies, id: string, by: string): Promise<Build> {
  const build = await deadBuild(deps, id);
  return retryBuild(deps, build.id, 'redispatch', by);
}

/** Begins all that match again, one after the other; one that is refused does not hold up the others. */
export async function redriveMany(
  deps: OperateDependencies,
  filter: z.output<typeof redriveBody>,
  by: string,
): Promise<z.infer<typeof redriveAnswer>> {
  const { builds } = await listBuilds(deps.db, { ...filter, dead: true });
  const answer: z.infer<typeof redriveAnswer> = { redriven: [], refused: [] };
  for (const { id } of builds) {
    const name = buildStream(id);
    try {
      await redriveBuild(deps, name, by);
      answer.redriven.push(name);
    } catch (error) {
      if (!(error instanceof ApiError) || error.retryAfterSeconds) throw error;
      answer.refused.push({ id: name, detail: error.message });
    }
  }
  return answer;
}

/** Takes a dead letter off the list; an event says who did. @throws {ApiError} 404; 409 where it still waits for an operator */
export async function discardDeadLetter(deps: OperateDependencies, id: string, by: string): Promise<Build> {
  const build = await deadBuild(deps, id);
  if (build.needs_attention) {
    throw new ApiError('state_conflict', { detail: `${id} waits for an operator; cancel the build instead` });
  }
  await appendEvent(deps.db, BUILDS, build.id, {
    type: 'dead_letter_discarded',
    data: { by },
    occurred_at: new Date().toISOString(),
    dedupe_key: `discarded:${build.retries}`,
  });
  return build;
}
