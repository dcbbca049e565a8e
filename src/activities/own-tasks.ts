import { Context } from '@temporalio/activity';
import type { TaskParameter, TaskType } from '../contracts/tasks/task-type.ts';
import { type DefinedTask, descriptionOf } from '../domain/tasks/define-task.ts';
import { openSecrets, type SecretBox, secretPlaces } from '../domain/tasks/secret-arguments.ts';
import { bindArguments } from '../domain/tasks/task-arguments.ts';
import { PermanentTaskError } from '../domain/tasks/task-error.ts';
import { typeVersionOf } from '../domain/tasks/task-types.ts';
import type { CheckedFetch } from '../integrations/checked-fetch.ts';
import type { Db } from '../store/database.ts';
import { findTaskSteps } from '../store/tasks/task-step-find.ts';
import { saveTaskStep } from '../store/tasks/task-step-save.ts';
import { findTaskType } from '../store/tasks/task-type-list.ts';
import { ownContext } from './own-context.ts';
import { argumentsRefused, callStores, type RunnableTask, type TaskAsked, type TaskCode } from './task-code.ts';

export interface OwnTaskDependencies {
  db: Db;
  fetch: CheckedFetch;
  /** Decrypts secret arguments; undefined if no keys are set. */
  secrets: SecretBox | undefined;
}

/** The user's own tasks, and behind them Hapax's tasks. An attempt ends on the code that it began with. */
export class OwnTasks implements TaskCode {
  readonly #deps: OwnTaskDependencies;
  readonly #others: TaskCode;
  #tasks: ReadonlyMap<string, RunnableTask> = new Map();

  constructor(deps: OwnTaskDependencies, others: TaskCode) {
    this.#deps = deps;
    this.#others = others;
  }

  /** Sets the tasks that run from now on. */
  replace(definitions: readonly DefinedTask[]): void {
    this.#tasks = new Map(definitions.map((task) => [task.name, runnable(task, this.#deps)]));
  }

  find(name: string): RunnableTask | undefined {
    return this.#tasks.get(name) ?? this.#others.find(name);
  }
}

function runnable(task: DefinedTask, { db, fetch, secrets }: OwnTaskDependencies): RunnableTask {
  const description = descriptionOf(task);
  const version = typeVersionOf('typescript', description);
  const own: Signature = { ...description, runtime: 'typescript' };
  return {
    async run(kept, context) {
      const { log } = Context.current();
      const { task_id: taskId, type_version: accepted = version } = kept;
      const signature = accepted === version ? own : await signatureAt(accepted);
      const given = await read(task, opened(secrets, kept, signature), signature.parameters);
      if ('faults' in given) {
        if (accepted === version) throw argumentsRefused(given.faults);
        // Accepted tasks are run. Code with another signature still has to read the waiting ones.
        log.warn(`${task.name} runs with the arguments of an earlier signature, which do not fit the present one`, {
          ...{ task_id: taskId, accepted_under: accepted },
        });
      }
      const steps = {
        find: () => callStores(() => findTaskSteps(db, taskId)),
        save: (name: string, result: string) => callStores(() => saveTaskStep(db, taskId, name, result)),
      };
      return task.run(given.arguments, ownContext(context, { log, fetch, steps }));
    },
  };

  /** Returns the signature that the arguments were made for. */
  async function signatureAt(accepted: string): Promise<Signature> {
    return (await callStores(() => findTaskType(db, task.name, accepted))) ?? own;
  }
}

type Signature = Pick<TaskType, 'parameters' | 'schema' | 'runtime'>;

/** Returns the request with its secret arguments decrypted. @throws {PermanentTaskError} if that fails. */
function opened(box: SecretBox | undefined, kept: TaskAsked, signature: Signature): TaskAsked {
  const places = secretPlaces(signature, kept);
  try {
    return { ...kept, ...openSecrets(box, kept.task_id, places, kept) };
  } catch (error) {
    const message = `a secret argument cannot be decrypted: ${(error as Error).message}`;
    throw new PermanentTaskError({ type: 'SecretArgument', message });
  }
}

type Given = Parameters<DefinedTask['run']>[0];

/** Returns the arguments as the schema of the task parses them; or as they came, by name, with what is wrong with them. */
async function read(
  task: DefinedTask,
  { args, kwargs }: TaskAsked,
  parameters: readonly TaskParameter[] | null,
): Promise<{ arguments: Given; faults?: Array<{ path: string; message: string }> }> {
  const bound = bindArguments(parameters ?? [], args, kwargs);
  if ('faults' in bound) return { arguments: kwargs as Given, faults: bound.faults };
  const { success, data, error } = await task.arguments.safeParseAsync(bound.named);
  if (success) return { arguments: data };
  const faults = error.issues.map(({ path: [name = '', ...below], message }) => {
    const place = bound.places.get(String(name)) ?? `kwargs.${String(name)}`;
    return { path: [place, ...below].join('.'), message };
  });
  return { arguments: bound.named as Given, faults };
}
