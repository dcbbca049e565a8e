import { z } from 'zod';
import { durationMs } from '../../contracts/duration.ts';
import type { TaskDefinition } from '../../contracts/tasks/own-task.ts';
import { type TaskTypeDescription, taskTypeDescription } from '../../contracts/tasks/task-type.ts';
import { parametersOf, registrationFaults } from './task-types.ts';

/** The mark of a definition, even if another copy of Hapax made it. */
const DEFINITION = Symbol.for('hapax.task');

/** The queue of tasks that name no queue. */
const USUAL_QUEUE = 'tasks';

/** A definition with the description that a worker registers. */
export type DefinedTask<Arguments extends z.ZodObject = z.ZodObject, Result = unknown> = TaskDefinition<
  Arguments,
  Result
> & { readonly [DEFINITION]: TaskTypeDescription };

/**
 * Defines a task in TypeScript. A module in the folder of HAPAX_TASKS exports what this returns.
 * @throws {TypeError} if it cannot be served, with a line for each fault.
 * @example
 * export default defineTask({
 *   name: 'hello',
 *   arguments: z.object({ who: z.string() }),
 *   run: ({ who }) => `Hello, ${who}!`,
 * });
 */
export function defineTask<Arguments extends z.ZodObject, Result>(
  definition: TaskDefinition<Arguments, Result>,
): DefinedTask<Arguments, Result> {
  return Object.freeze({ ...definition, [DEFINITION]: describe(definition as unknown as TaskDefinition) });
}

/** Says whether a value is what {@link defineTask} returns. */
export function isDefinedTask(value: unknown): value is DefinedTask {
  return typeof value === 'object' && value !== null && DEFINITION in value;
}

/** Returns the description of a task that a worker registers. */
export function descriptionOf(task: Pick<DefinedTask, typeof DEFINITION>): TaskTypeDescription {
  return task[DEFINITION];
}

const KNOWN: ReadonlySet<string> = new Set<keyof TaskDefinition>([
  ...(['name', 'queue', 'description', 'arguments', 'softTimeLimit', 'timeLimit'] as const),
  ...(['retries', 'retryDelay', 'rateLimit', 'run'] as const),
]);

function describe(definition: TaskDefinition): TaskTypeDescription {
  const { name, queue = USUAL_QUEUE, description = null, run } = definition;
  const faults = Object.keys(definition)
    .filter((key) => !KNOWN.has(key))
    .map((key) => `${key}: a task has no such option`);
  if (!(definition.arguments instanceof z.ZodObject)) faults.push('arguments: must be a z.object');
  if (typeof run !== 'function') faults.push('run: must be a function');
  const seconds = (key: 'softTimeLimit' | 'timeLimit' | 'retryDelay'): number | null => {
    const given = definition[key];
    const ms = given === undefined ? null : durationMs(String(given));
    if (ms === undefined) faults.push(`${key}: "${given}" is not a duration; write 30 (seconds), 30s, 5m or 3h`);
    return ms ? ms / 1_000 : (ms ?? null);
  };
  const { success, data, error } = taskTypeDescription.safeParse({
    ...{ name, queue, doc: description },
    ...(faults.length === 0 ? parametersOf(definition.arguments) : { parameters: null, schema: null }),
    soft_time_limit: seconds('softTimeLimit'),
    time_limit: seconds('timeLimit'),
    max_retries: definition.retries ?? null,
    retry_delay: seconds('retryDelay'),
    rate_limit: definition.rateLimit ?? null,
  });
  if (success) {
    faults.push(...registrationFaults({ version: 1, identity: '-', runtime: 'typescript', queues: [], types: [data] }));
  } else {
    faults.push(...error.issues.map(({ path, message }) => `${wordOf(String(path[0]))}: ${message}`));
  }
  if (faults.length > 0) throw new TypeError(faults.join('\n'));
  return data!;
}

/** Returns the option of a definition that a worker registers under another name. */
function wordOf(member: string): string {
  const words: Record<string, keyof TaskDefinition> = {
    ...{ doc: 'description', soft_time_limit: 'softTimeLimit', time_limit: 'timeLimit', max_retries: 'retries' },
    ...{ retry_delay: 'retryDelay', rate_limit: 'rateLimit', parameters: 'arguments', schema: 'arguments' },
  };
  return words[member] ?? member;
}
