/** Options of a run in a test of your own tasks: `import { runTask } from 'hapax/tasks/testing'`. */
import { randomUUID } from 'node:crypto';
import type { z } from 'zod';
import { ownContext } from '../activities/own-context.ts';
import type { OwnTaskContext } from '../contracts/tasks/own-task.ts';
import { jsonOf } from '../domain/record/storable.ts';
import type { DefinedTask } from '../domain/tasks/define-task.ts';
import { PermanentTaskError } from '../domain/tasks/task-error.ts';

export interface RunOptions {
  /** Default: a new id. */
  taskId?: string;
  /** Default: 1. */
  attempt?: number;
  /** The progress that an earlier attempt reported. */
  progress?: unknown;
  /** Aborts the attempt. */
  signal?: AbortSignal;
  /** Replaces the network. Default: every call fails. */
  fetch?: OwnTaskContext['fetch'];
  /** Results of completed steps. To see what a second attempt does, pass the same map to a second run. */
  steps?: Map<string, unknown>;
}

/** The outcome of one run of a task. */
export interface TaskRun<Result> {
  result: Result;
  /** The progress that it reported, in order. */
  progress: unknown[];
  /** Results of its steps, by name. */
  steps: Map<string, unknown>;
  /** The messages that it logged. */
  log: Array<{ level: string; message: string }>;
}

/**
 * Runs one attempt of a task in this process, without servers.
 * @throws what the task throws; a ZodError if the arguments do not fit; a PermanentTaskError if the result is not JSON.
 */
export async function runTask<Arguments extends z.ZodObject, Result>(
  task: DefinedTask<Arguments, Result>,
  args: z.input<Arguments>,
  options: RunOptions = {},
): Promise<TaskRun<Result>> {
  const { taskId = randomUUID(), attempt = 1, steps = new Map() } = options;
  const signal = options.signal ?? new AbortController().signal;
  const progress: unknown[] = [];
  const log: TaskRun<Result>['log'] = [];
  const at = (level: string) => (message: string) => void log.push({ level, message });
  const context = ownContext(
    { taskId, attempt, signal, progress: options.progress, heartbeat: (value) => void progress.push(value) },
    {
      log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') },
      fetch: async (url, init) => {
        if (options.fetch) return options.fetch(url, init);
        throw new Error(`no network in tests: ${url}; pass a fetch to runTask`);
      },
      steps: {
        find: async () => new Map(steps),
        async save(name, json) {
          if (!steps.has(name)) steps.set(name, JSON.parse(json));
          return steps.get(name);
        },
      },
    },
  );
  const given = await task.arguments.parseAsync(args);
  const result = await task.run(given, context);
  jsonOf(result, (why) => new PermanentTaskError({ type: 'ResultNotJson', message: `the result is not JSON: ${why}` }));
  return { result, progress, steps, log };
}
