import type { ToldEvent } from '../../contracts/builds/event.ts';
import type { CallbackTarget } from '../../contracts/endings/callback-workflow.ts';
import type { Db } from '../../store/database.ts';
import type { Identified, StreamKind } from '../../store/record/stream-kind.ts';
import type { Reuse, StartDependencies } from './start-workflow.ts';

/** What the states of builds and tasks have in common. */
export interface Subject extends Identified {
  fingerprint: string;
  /** ISO 8601; null while it has not ended. */
  completed_at: string | null;
}

/** What the inputs of their workflows have in common. */
export interface SubjectInput {
  workflow_id: string;
  /** When it was accepted, ISO 8601. */
  created_at: string;
  callback?: CallbackTarget;
}

/** Builds or tasks: what the commands need to know of them to accept, restart and end them alike. */
export interface Kind<State extends Subject, Event extends ToldEvent, Input extends SubjectInput> {
  stream: StreamKind<State, Event>;
  find(db: Db, id: State['id']): Promise<State | undefined>;
  /** Starts the workflow; false where its id is taken. @throws {Refusal} where Temporal did not take the start. */
  start(deps: StartDependencies, input: Input, reuse: Reuse): Promise<boolean>;
  /** The id that an input, or the memo of a workflow, names. */
  idOf(named: Partial<{ build_id: number; task_id: string }>): State['id'];
  /** The event that an input begins the stream with. */
  firstEvent(input: Input): Event;
  /** Until its workflow says otherwise. */
  firstStatus: State['status'];
}
