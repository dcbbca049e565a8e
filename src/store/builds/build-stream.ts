import { type BuildEvent, buildEventData } from '../../contracts/builds/event.ts';
import { type Build, evolve } from '../../domain/builds/build.ts';
import { type StreamKind, streamOf } from '../record/stream-kind.ts';
import { buildFromRow, rowOfBuild } from './build-row.ts';

/** Builds: streams `build:<id>`, projected into the table `builds`. */
export const BUILDS: StreamKind<Build, BuildEvent> = {
  name: 'build',
  first: 'build_queued',
  data: buildEventData,
  evolve,
  table: 'builds',
  rowOf: rowOfBuild,
  stateOf: buildFromRow,
};

/** Returns the name of a build's stream in the log. */
export function buildStream(id: number): string {
  return streamOf(BUILDS, id);
}
