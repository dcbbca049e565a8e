import { type BuildEvent, buildEventData } from '../contracts/event.ts';
import { type Build, evolve } from '../domain/build.ts';
import { type BuildRow, buildFromRow, rowOfBuild } from './build-row.ts';
import { builds } from './schema.ts';
import { streamKind, streamOf } from './stream-kind.ts';

/** Builds: streams `build:<id>`, projected into the table `builds`. */
export const BUILDS = streamKind<Build, BuildEvent>({
  name: 'build',
  first: 'build_queued',
  data: buildEventData,
  evolve,
  table: builds,
  rowOf: rowOfBuild,
  stateOf: (row) => buildFromRow(row as BuildRow),
});

/** Stream of a build in the log. */
export function buildStream(id: number): string {
  return streamOf(BUILDS, id);
}
