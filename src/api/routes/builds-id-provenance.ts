import { createRoute } from '@hono/zod-openapi';
import { notFound, Refusal } from '../../commands/refusal.ts';
import { provenanceStatement } from '../../contracts/builds/artifact.ts';
import { buildIdParam } from '../../contracts/builds/build.ts';
import type { Build } from '../../domain/builds/build.ts';
import { artifactsIn, provenanceOf } from '../../domain/builds/provenance.ts';
import { capabilitiesOf } from '../../domain/forges/capabilities.ts';
import { findArtifactsProblem } from '../../store/builds/artifact-due.ts';
import { BUILDS } from '../../store/builds/build-stream.ts';
import type { Db } from '../../store/database.ts';
import { type FoundStream, findStream } from '../../store/record/stream-find.ts';
import type { Api } from '../environment.ts';
import { jsonResponse, problems } from '../responses.ts';
import { needs } from '../rights.ts';

const route = createRoute({
  method: 'get',
  path: '/builds/{id}/provenance',
  operationId: 'getBuildProvenance',
  ...needs('read', 'build'),
  tags: ['builds'],
  summary: 'Get where the artifacts of a build came from',
  description:
    'An in-toto Statement v1 with SLSA provenance v1: the digests of the artifacts, the commit, the inputs and the run. It is not signed: its last byproduct is the hash of the event that recorded the artifacts, and `GET /audit/inclusion` proves that event with a signed checkpoint. 404 if no artifact with a digest is recorded; `detail` says why.',
  request: { params: buildIdParam },
  responses: {
    200: jsonResponse('The statement', provenanceStatement),
    ...problems('invalid_request', 'not_found', 'database_unavailable'),
  },
});

export function getBuildProvenance(api: Api, db: Db): void {
  api.openapi(route, async (c) => {
    const { id } = c.req.valid('param');
    const found = await findStream(db, BUILDS, id);
    if (!found) throw notFound(`build ${id}`);
    const statement = provenanceOf(found.state, found.events);
    if (!statement) throw new Refusal('not_found', { detail: await whyThereIsNone(db, found) });
    return c.json(statement, 200);
  });
}

async function whyThereIsNone(db: Db, { state, events }: FoundStream<Build>): Promise<string> {
  const recorded = artifactsIn(events, state.workflow_run_id);
  if (recorded?.unavailable) return `the artifacts of build ${state.id} are not known: ${recorded.unavailable}`;
  if (recorded?.artifacts.length) return `the forge of build ${state.id} tells no digests of artifacts`;
  if (state.status !== 'success') return `build ${state.id} is ${state.status}; only one that succeeded has provenance`;
  const { name, lists_artifacts } = capabilitiesOf(state.request.forge);
  if (!lists_artifacts) return `${name} has no way to list artifacts`;
  const problem = await findArtifactsProblem(db, state.id);
  if (problem === undefined)
    return `build ${state.id} has no artifacts: its run left none, or Hapax did not record them yet when it ended`;
  return `the artifacts of build ${state.id} are not recorded yet${problem === null ? '' : `: ${problem}`}; ask again in a minute`;
}
