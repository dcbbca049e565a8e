import type { BuildEvent, BuildEventType } from '../contracts/event.ts';
import { record } from './activities.ts';

type DataOf<Type extends BuildEventType> = Extract<BuildEvent, { type: Type }>['data'];

/**
 * Tells an event of the build to the record and answers with the data that stands there. `step` names the point of the
 * workflow, so that telling it again after a reset or a crash is telling it once.
 */
export type Tell = <Type extends BuildEventType>(
  type: Type,
  step: string,
  data: DataOf<Type>,
  occurredAt?: string,
) => Promise<DataOf<Type>>;

/** The teller of one build. @param prefix sets the steps of a retry apart from those before it. */
export function tellerOf(buildId: number, prefix = ''): Tell {
  return async <Type extends BuildEventType>(type: Type, step: string, data: DataOf<Type>, occurredAt = now()) => {
    const event = { type, data, occurred_at: occurredAt, dedupe_key: prefix + step } as BuildEvent;
    const standing = await record.appendBuildEvent({ build_id: buildId, event });
    return standing.data as DataOf<Type>;
  };
}

/** The workflow's time, ISO 8601. */
function now(): string {
  return new Date().toISOString();
}
