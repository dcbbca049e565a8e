import type { TaskEvent } from '../../contracts/tasks/task-event.ts';
import type { ExpectedStream } from '../../domain/record/stream-fault.ts';

type Queued = Extract<TaskEvent, { type: 'task_queued' }>;

/** What an attempt needs to record by itself that it begins, and that the task succeeded. */
export interface OwnRecord {
  /** What the workflow knows of the stream. */
  expected: ExpectedStream;
  /**
   * The first event, without the arguments, which the request has. Set where the workflow has recorded nothing: the attempt
   * records then what begins the task as well.
   */
  queued?: Omit<Queued, 'data'> & { data: Omit<Queued['data'], 'args' | 'kwargs'> };
}

/** What became of an attempt that did not fail. */
export type Worked =
  | {
      result: unknown;
      /** Left out by workers of an earlier version, and where the workflow records everything. */
      recorded?: {
        /** What the attempt recorded before the work. */
        begun: TaskEvent[];
        /** When the work ended, ISO 8601: the time of `task_succeeded`. */
        ended_at: string;
        /** Number of the last of these events in the stream. */
        seq: number;
        /** Who is called back; null where the success is not recorded yet. */
        targets: string[] | null;
      };
    }
  /** The record says that the task has ended already, so nothing was done. */
  | { has_ended: true };

/** What workflows ask of the workers of a queue. */
export interface TaskPort {
  /**
   * Does the work of a task once. Fails with what the workflow has to know: whether another attempt may help, and when. A
   * lost worker and a database that is away are repeated by Temporal, without the workflow; what is recorded as a success is
   * not done again.
   */
  runTask(request: {
    task_id: string;
    name: string;
    /** The version of its type that it was accepted under; left out for the tasks of Hapax itself. */
    type_version?: string;
    /** As they were given; they are read as the signature of the task says. */
    args: unknown[];
    kwargs: Record<string, unknown>;
    /** The number of this attempt, from 1; a redrive counts from 1 again. */
    attempt: number;
    /** Tells the attempts of one redrive from those before. */
    step: string;
    /** After so many milliseconds it is asked to stop, and not waited for any longer. */
    soft_limit_ms: number;
    hard_limit_ms: number;
    /** Until when the task may begin, ISO 8601, where it has not begun yet; left out for ever. */
    begin_by?: string;
    /** The last progress that the attempt before reported. */
    progress?: unknown;
    /** Left out by workflows that began under an earlier version: they record the success themselves. */
    own_record?: OwnRecord;
  }): Promise<Worked>;
}
