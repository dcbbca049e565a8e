import type { RecordedEvent } from '../../contracts/builds/event.ts';
import { BUILDS } from '../builds/build-stream.ts';
import { KEYS } from '../keys/key-stream.ts';
import { SCHEDULES } from '../schedules/schedule-stream.ts';
import { SUBSCRIPTIONS } from '../subscriptions/subscription-stream.ts';
import { TASKS } from '../tasks/task-stream.ts';
import type { AnyStreamKind } from './stream-kind.ts';

/** All kinds of streams that have a projection. */
export const STREAM_KINDS: readonly AnyStreamKind[] = [BUILDS, TASKS, SCHEDULES, SUBSCRIPTIONS, KEYS];

/** The kind of a stream; undefined where nothing projects it. */
export function kindOf(stream: string): AnyStreamKind | undefined {
  return STREAM_KINDS.find(({ name }) => stream.startsWith(`${name}:`));
}

/** Why an event is none that Hapax ever records, whatever its hash says; undefined where it can be one. */
export function strangeness({ stream, type }: Pick<RecordedEvent, 'stream' | 'type'>): string | undefined {
  const kind = kindOf(stream);
  if (!kind) return `no kind of stream is named "${stream.split(':', 1)[0]}"`;
  if (!Object.hasOwn(kind.data, type)) return `there is no event type ${type}`;
  return undefined;
}
