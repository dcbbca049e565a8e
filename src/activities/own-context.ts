import { LIMITS } from '../contracts/budgets.ts';
import type { OwnTaskContext } from '../contracts/tasks/own-task.ts';
import { nameUuid } from '../domain/name-uuid.ts';
import { jsonOf, storableJson } from '../domain/record/storable.ts';
import { PermanentTaskError } from '../domain/tasks/task-error.ts';
import type { CheckedFetch } from '../integrations/checked-fetch.ts';
import type { TaskContext } from './task-handlers.ts';

/** A store for the results of steps. */
export interface StepStore {
  /** Returns all saved results of the task, by name. */
  find(): Promise<Map<string, unknown>>;
  /** Saves a result, as JSON, unless one is saved. @returns the saved one. */
  save(name: string, result: string): Promise<unknown>;
}

export interface OwnContextParts {
  log: Record<'debug' | 'info' | 'warn' | 'error', (message: string, more?: Record<string, unknown>) => void>;
  fetch: CheckedFetch;
  steps: StepStore;
}

/** Returns what the code of an own task gets to know about its attempt. */
export function ownContext(
  { taskId, attempt, signal, progress, heartbeat }: TaskContext,
  { log, fetch, steps }: OwnContextParts,
): OwnTaskContext {
  const about = (write: OwnContextParts['log']['info']) => (message: string, more?: Record<string, unknown>) =>
    write(message, { ...more, task_id: taskId, attempt });
  const step = stepsOf(taskId, steps, signal);
  return {
    ...{ taskId, attempt, signal, progress, heartbeat },
    idempotencyToken: nameUuid(`task ${taskId}`),
    log: {
      debug: about((...said) => log.debug(...said)),
      info: about((...said) => log.info(...said)),
      warn: about((...said) => log.warn(...said)),
      error: about((...said) => log.error(...said)),
    },
    fetch: (url, { signal: own, ...init } = {}) =>
      leavable(fetch(url, { ...init, signal: own ? AbortSignal.any([own, signal]) : signal })),
    step: (name, work) => leavable(step(name, work)),
  };
}

/** Returns a promise that nobody has to await: the end of the attempt aborts what it stands for, which is no fault of the task. */
function leavable<Result>(promise: Promise<Result>): Promise<Result> {
  promise.catch(() => undefined);
  return promise;
}

function stepsOf(taskId: string, store: StepStore, signal: AbortSignal): OwnTaskContext['step'] {
  const begun = new Set<string>();
  let kept: Promise<Map<string, unknown>> | undefined;
  return async <Result>(name: string, work: Parameters<OwnTaskContext['step']>[1]): Promise<Result> => {
    const most = LIMITS.taskTypes;
    if (typeof name !== 'string' || name === '' || name.length > most.stepNameCharacters) {
      throw misused(`a step needs a name of 1 to ${most.stepNameCharacters} characters`);
    }
    if (begun.has(name)) throw misused(`there are two steps "${name}"; give each a name of its own`);
    if (begun.size === most.steps) throw misused(`it has more than ${most.steps} steps`);
    begun.add(name);
    try {
      signal.throwIfAborted();
      kept ??= store.find();
      const done = await kept.catch((error: unknown) => {
        kept = undefined;
        throw error;
      });
      if (done.has(name)) return done.get(name) as Result;
      const result = await work({ idempotencyToken: nameUuid(`task ${taskId} step ${name}`), signal });
      return (await store.save(name, resultOf(name, result))) as Result;
    } catch (error) {
      // The task may catch the error and try the step again.
      begun.delete(name);
      throw error;
    }
  };
}

/** Returns the result of a step as JSON. @throws {PermanentTaskError} if it is not JSON, or too large. */
function resultOf(name: string, result: unknown): string {
  const json = storableJson(jsonOf(result, (why) => misused(`the result of step "${name}" is not JSON: ${why}`)));
  const { stepCharacters } = LIMITS.taskTypes;
  if (json.length <= stepCharacters) return json;
  throw misused(`the result of step "${name}" has ${json.length} characters of JSON; ${stepCharacters} is the most`);
}

function misused(message: string): PermanentTaskError {
  return new PermanentTaskError({ type: 'StepError', message });
}
