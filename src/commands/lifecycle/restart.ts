import { setTimeout as delay } from 'node:timers/promises';
import type { ToldEvent } from '../../contracts/builds/event.ts';
import type { Db } from '../../store/database.ts';
import { appendEvent } from '../../store/record/event-append.ts';
import { Refusal } from '../refusal.ts';
import { describeHolder } from './describe-holder.ts';
import type { Kind, Subject, SubjectInput } from './kind.ts';
import type { StartDependencies } from './start-workflow.ts';

/** How long to wait for the workflow of an ended build or task to close, which it does within a few workflow tasks. */
export const CLOSING_WAIT_MS = 2_000;

/**
 * Starts another workflow for a build or task that has ended, once the previous one has closed, and records why.
 * @param ended the previous state.
 * @param event the event that restarts it. If two ask at once, the one whose event is recorded goes on.
 * @returns whether this restart goes on. False: another came first, or an equal request holds the workflow id.
 * @throws {Refusal} if Temporal did not accept the start, or the previous workflow does not close.
 */
export async function restart<State extends Subject, Event extends ToldEvent, Input extends SubjectInput>(
  deps: StartDependencies & { db: Db },
  kind: Kind<State, Event, Input>,
  ended: State,
  input: Input,
  event: Event,
): Promise<boolean> {
  const { stream, find, start } = kind;
  const giveUp = Date.now() + CLOSING_WAIT_MS;
  while (!(await start(deps, input, 'ALLOW_DUPLICATE'))) {
    const now = await find(deps.db, ended.id);
    if (now?.completed_at !== ended.completed_at) return false;
    if (Date.now() > giveUp) {
      const { id } = await describeHolder(deps, kind, input.workflow_id);
      if (id === ended.id) throw stillClosing(`${stream.name} ${id}`, 'send the same request again');
      return false;
    }
    await delay(20);
  }
  // The workflow records the same event; recorded here, it shows at once.
  const recorded = await appendEvent(deps.db, stream, ended.id, event).catch(() => undefined);
  return !recorded?.repeated || restartIdOf(recorded.event) === restartIdOf(event);
}

/** The refusal of a request that has to wait until a workflow has closed. @param then what to do. */
export function stillClosing(ended: string, then: string): Refusal {
  const detail = `${ended} has ended, but its workflow is not closed yet; ${then}`;
  return new Refusal('still_closing', { detail, retryAfterSeconds: 5 });
}

function restartIdOf({ data }: { data: unknown }): string | undefined {
  const { retry_id, redrive_id } = data as { retry_id?: string; redrive_id?: string };
  return retry_id ?? redrive_id;
}
