import type { TaskEvent } from '../../contracts/tasks/task-event.ts';
import type { ExpectedStream } from '../../domain/record/stream-fault.ts';

type Queued = Extract<TaskEvent, { type: 'task_queued' }>;

/** The data that an attempt needs to record its start and the success of the task itself. */
export interface OwnRecord {
  /** The stream as the workflow knows it. */
  expected: ExpectedStream;
  /**
   * The first event, without the arguments, which the request has. Set if the workflow has recorded nothing: the attempt then also
   * records the first events of the task.
   */
  queued?: Omit<Queued, 'data'> & { data: Omit<Queued['data'], 'args' | 'kwargs'> };
}

/** The outcome of an attempt that did not fail. */
export type Worked =
  | {
      result: unknown;
      /** Left out by workers of an earlier version, and if the workflow records everything. */
      recorded?: {
        /** Events that the attempt recorded before the work. */
        begun: TaskEvent[];
        /** When the work ended, ISO 8601: the time of `task_succeeded`. */
        ended_at: string;
        /** Number of the last of these events in the stream. */
        seq: number;
        /** Targets of callbacks; null if the success is not recorded yet. */
        targets: string[] | null;
      };
    }
  /** The record says that the task has ended already, so nothing was done. */
  | { has_ended: true };

/** Activities of the workers of a queue. */
export interface TaskPort {
  /**
   * Does the work of a task once. Its failure tells the workflow whether another attempt may help, and when. If the worker is lost or
   * the database is down, Temporal retries without the workflow. Work whose success is recorded is not done again.
   */
  runTask(request: {
    task_id: string;
    name: string;
    /** The version of its type when it was accepted; left out for built-in tasks. */
    type_version?: string;
    /** As they were given; read by the signature of the task. */
    args: unknown[];
    kwargs: Record<string, unknown>;
    /** The number of this attempt, from 1; a redrive counts from 1 again. */
    attempt: number;
    /** Tells the attempts of one redrive from earlier ones. */
    step: string;
    /** Milliseconds after which it is asked to stop (soft), and no longer waited for (hard). */
    soft_limit_ms: number;
    hard_limit_ms: number;
    /** The latest time at which the task may start, ISO 8601, if it has not started yet; left out if there is none. */
    begin_by?: string;
    /** Set if this attempt had started, and then no worker took it in time. What it records now differs from what it recorded then. */
    again?: true;
    /** The last progress that the previous attempt reported. */
    progress?: unknown;
    /** Left out by workflows that started under an earlier version: they record the success themselves. */
    own_record?: OwnRecord;
  }): Promise<Worked>;
}
