import type { RecordedEvent } from '../../contracts/builds/event.ts';
import { BUILDS } from '../builds/build-stream.ts';
import { ERASURES } from '../erasures/erasure-stream.ts';
import { KEYS } from '../keys/key-stream.ts';
import { SCHEDULES } from '../schedules/schedule-stream.ts';
import { SUBSCRIPTIONS } from '../subscriptions/subscription-stream.ts';
import { TASKS } from '../tasks/task-stream.ts';
import type { AnyStreamKind } from './stream-kind.ts';

/** All kinds of streams that have a projection. */
export const STREAM_KINDS: readonly AnyStreamKind[] = [BUILDS, TASKS, SCHEDULES, SUBSCRIPTIONS, KEYS, ERASURES];

/** Returns the kind of a stream; undefined if nothing projects it. */
export function kindOf(stream: string): AnyStreamKind | undefined {
  return STREAM_KINDS.find(({ name }) => stream.startsWith(`${name}:`));
}

/** Says why an event is one that Hapax never records, whatever its hash says; returns undefined if Hapax can record it. */
export function strangeness({ stream, type }: Pick<RecordedEvent, 'stream' | 'type'>): string | undefined {
  const kind = kindOf(stream);
  if (!kind) return `no kind of stream is named "${stream.split(':', 1)[0]}"`;
  if (!Object.hasOwn(kind.data, type)) return `there is no event type ${type}`;
  return undefined;
}
