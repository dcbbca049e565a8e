import { BUILDS } from './build-stream.ts';
import type { AnyStreamKind } from './stream-kind.ts';
import { TASKS } from './task-stream.ts';

/** All kinds of streams that have a projection. */
export const STREAM_KINDS: readonly AnyStreamKind[] = [BUILDS, TASKS];

/** The kind of a stream; undefined where nothing projects it. */
export function kindOf(stream: string): AnyStreamKind | undefined {
  return STREAM_KINDS.find(({ name }) => stream.startsWith(`${name}:`));
}
