import type { ToldEvent } from '../../contracts/builds/event.ts';
import type { CallbackTarget } from '../../contracts/endings/callback-workflow.ts';
import type { Db } from '../../store/database.ts';
import type { Identified, StreamKind } from '../../store/record/stream-kind.ts';
import type { Reuse, StartDependencies } from './start-workflow.ts';

/** The fields that the states of builds and tasks share. */
export interface Subject extends Identified {
  fingerprint: string;
  /** ISO 8601; null while it has not ended. */
  completed_at: string | null;
}

/** The fields that the inputs of their workflows share. */
export interface SubjectInput {
  workflow_id: string;
  /** When it was accepted, ISO 8601. */
  created_at: string;
  callback?: CallbackTarget;
}

/** Builds or tasks: what commands need to know to accept, restart and end both in the same way. */
export interface Kind<State extends Subject, Event extends ToldEvent, Input extends SubjectInput> {
  stream: StreamKind<State, Event>;
  find(db: Db, id: State['id']): Promise<State | undefined>;
  /** Starts the workflow; returns false if its id is taken. @throws {Refusal} if Temporal did not accept the start. */
  start(deps: StartDependencies, input: Input, reuse: Reuse): Promise<boolean>;
  /** Returns the id in an input, or in the memo of a workflow. */
  idOf(named: Partial<{ build_id: number; task_id: string }>): State['id'];
  /** Returns the first event of the stream, made from an input. */
  firstEvent(input: Input): Event;
  /** The status until its workflow says otherwise. */
  firstStatus: State['status'];
}
