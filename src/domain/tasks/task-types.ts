import { z } from 'zod';
import { LIMITS } from '../../contracts/budgets.ts';
import {
  BUILT_IN_TASKS,
  type BuiltInTask,
  QUEUE_OF_BUILT_IN,
  type TaskRuntime,
} from '../../contracts/tasks/task-queues.ts';
import { TASK_SIGNATURES } from '../../contracts/tasks/task-signatures.ts';
import type {
  TaskParameter,
  TaskType,
  TaskTypeDescription,
  TaskTypeRegistration,
} from '../../contracts/tasks/task-type.ts';
import { canonicalJson, sha256 } from '../record/hash.ts';
import { readRate } from './rate.ts';
import { builtInTaskOf } from './task-request.ts';

/** Returns the version of a task type: a digest of its whole description and its runtime. */
export function typeVersionOf(runtime: TaskRuntime, description: TaskTypeDescription): string {
  return sha256(canonicalJson({ runtime, ...description })).slice(0, 16);
}

/** Returns the reasons to refuse a registration: a line for each fault. */
export function registrationFaults({ runtime, types }: TaskTypeRegistration): string[] {
  const names = types.map(({ name }) => name);
  return types.flatMap((type, index) => {
    const { name, parameters, rate_limit } = type;
    const faults: string[] = [];
    if (runtime !== 'built-in' && builtInTaskOf(name) === name) faults.push('is the name of a task of Hapax');
    if (names.indexOf(name) !== index) faults.push('is registered twice');
    if (JSON.stringify(type).length > LIMITS.taskTypes.characters) {
      faults.push(`has a description of more than ${LIMITS.taskTypes.characters} characters of JSON`);
    }
    const twice = parameters?.find((one, at) => parameters.findIndex((other) => other.name === one.name) !== at);
    if (twice) faults.push(`has two parameters ${twice.name}`);
    if (rate_limit !== null && 'fault' in readRate(rate_limit)) {
      faults.push(`has the rate limit ${rate_limit}; write it as 10, 10/m or 100/h`);
    }
    return faults.map((fault) => `${name} ${fault}`);
  });
}

/** Returns the JSON Schema of arguments, and its parameters. Its members have the order of positional arguments. */
export function parametersOf(signature: z.ZodObject): Pick<TaskTypeDescription, 'parameters' | 'schema'> {
  const { $schema: _, ...schema } = z.toJSONSchema(signature, { io: 'input', unrepresentable: 'any' });
  const required: ReadonlySet<string> = new Set(schema.required ?? []);
  const parameters = Object.entries(schema.properties ?? {}).map(([name, property]): TaskParameter => {
    const usual = typeof property === 'object' ? property.default : undefined;
    return {
      ...{ name, kind: 'positional_or_keyword', required: required.has(name) },
      ...(usual === undefined
        ? {}
        : { default: JSON.stringify(usual).slice(0, LIMITS.taskTypes.defaultCharacters).toWellFormed() }),
    };
  });
  return { parameters, schema };
}

let described: readonly TaskTypeDescription[] | undefined;

/** Returns the built-in tasks as workers register them. */
export function builtInDescriptions(): readonly TaskTypeDescription[] {
  described ??= BUILT_IN_TASKS.map((name) => ({
    ...{ name, queue: QUEUE_OF_BUILT_IN[name], doc: BUILT_IN_DOCS[name], ...parametersOf(TASK_SIGNATURES[name]) },
    ...{ soft_time_limit: null, time_limit: null, max_retries: null, retry_delay: null, rate_limit: null, options: {} },
  }));
  return described;
}

/** Returns the types of the built-in tasks, as known without a record. */
export function builtInTaskTypes(): TaskType[] {
  const never = { first_registered_at: null, last_registered_at: null, registered_by: null };
  return builtInDescriptions().map((description) => ({
    ...{ ...description, runtime: 'built-in', version: typeVersionOf('built-in', description), ...never },
  }));
}

const BUILT_IN_DOCS: Readonly<Record<BuiltInTask, string>> = {
  ingest_youtube: 'Ingests a YouTube video: its title and its transcript.',
  ingest_youtube_with_callback: 'Ingests a YouTube video, and calls back when it is done.',
  ingest_url: 'Ingests the article of a web page.',
  process_content: 'Embeds or summarizes content.',
  semantic_search: 'Searches the content by meaning and by words.',
};
