import type { Build } from '../../domain/builds/build.ts';
import type { ChainHead } from '../../domain/record/hash.ts';

/** A row of the table `builds`. */
export interface BuildRow extends Build {
  repository: string;
  ref: string;
  last_seq: number;
  last_hash: string;
}

/** Returns the state in a row of the projection, without the columns that only the store needs. */
export function buildFromRow(row: BuildRow): Build {
  const { repository: _repository, ref: _ref, last_seq: _seq, last_hash: _hash, ...build } = row;
  return build;
}

/** Returns the row of the projection for a state and the head of its stream. */
export function rowOfBuild(build: Build, head: ChainHead): BuildRow {
  const { repository, ref } = build.request;
  return { ...build, repository, ref, last_seq: head.seq, last_hash: head.hash };
}
