import { createRoute } from '@hono/zod-openapi';
import { Refusal } from '../../commands/refusal.ts';
import { buildAtQuery, buildIdParam, buildView } from '../../contracts/builds/build.ts';
import type { RecordedEvent } from '../../contracts/builds/event.ts';
import type { Build } from '../../domain/builds/build.ts';
import { buildSummaryOf, failedJobsIn } from '../../domain/builds/build-view.ts';
import { artifactsIn, recordedRunIn } from '../../domain/builds/provenance.ts';
import { buildLinksOf, type TemporalUi } from '../../domain/links.ts';
import { eventViewOf } from '../../domain/record/event-view.ts';
import { eventsUntil, foldEvents } from '../../domain/record/fold.ts';
import { listBuildsAhead } from '../../store/builds/build-list-ahead.ts';
import { BUILDS, buildStream } from '../../store/builds/build-stream.ts';
import type { Db } from '../../store/database.ts';
import { listEvents } from '../../store/record/event-list-by-stream.ts';
import type { FoundStream } from '../../store/record/stream-find.ts';
import { type Api, endOf } from '../environment.ts';
import type { StreamParts } from '../events/event-stream.ts';
import { whenEnded } from '../events/when-ended.ts';
import { jsonResponse, problems } from '../responses.ts';
import { needs } from '../rights.ts';

const route = createRoute({
  method: 'get',
  path: '/builds/{id}',
  operationId: 'getBuild',
  ...needs('read', 'build'),
  tags: ['builds'],
  summary: 'Get a build with its events, now or at an earlier time',
  description:
    'With `at`: the build as it was at that time, with its events until then. 404 if it did not exist yet. With `wait`: the response comes when the build has ended, or after that time.',
  request: { params: buildIdParam, query: buildAtQuery },
  responses: {
    200: jsonResponse('The build', buildView),
    ...problems('invalid_request', 'not_found', 'too_many_streams', 'database_unavailable'),
  },
});

export interface BuildDependencies extends StreamParts {
  db: Db;
  temporalUi: TemporalUi;
}

export function getBuild(api: Api, deps: BuildDependencies): void {
  const { db, temporalUi } = deps;
  api.openapi(route, async (c) => {
    const { id } = c.req.valid('param');
    const { at, wait = 0 } = c.req.valid('query');
    const found = at
      ? asOfTime(await listEvents(db, buildStream(id)), at)
      : await whenEnded(deps, BUILDS, id, wait, endOf(c));
    if (!found)
      throw new Refusal('not_found', {
        detail: `there ${at ? `was no build ${id} at that time` : `is no build ${id}`}`,
      });
    const waits_for = at ? [] : await waitsFor(db, found.state);
    const failed_jobs = failedJobsIn(found.events);
    const runId = found.state.workflow_run_id;
    return c.json(
      {
        ...buildSummaryOf(found.state),
        workflow_id: found.state.workflow_id,
        waits_for,
        failed_jobs,
        commit: recordedRunIn(found.events, runId)?.commit ?? null,
        artifacts: artifactsIn(found.events, runId),
        links: buildLinksOf(found.state, temporalUi),
        events: found.events.map(eventViewOf),
      },
      200,
    );
  });
}

/** Returns the builds that are ahead of one in its concurrency group. */
async function waitsFor(db: Db, { id, status, concurrency }: Build): Promise<number[]> {
  if (status !== 'queued' || concurrency === null) return [];
  return (await listBuildsAhead(db, id)).map((other) => other.id);
}

/** Returns the build as it was at a time, if it existed. */
function asOfTime(all: RecordedEvent[], at: string): FoundStream<Build> | undefined {
  const events = eventsUntil(all, at);
  const state = foldEvents(BUILDS, events);
  return state && { state, events };
}
