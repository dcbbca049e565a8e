import { Context } from '@temporalio/activity';
import type { TaskParameter } from '../contracts/tasks/task-type.ts';
import { type DefinedTask, descriptionOf } from '../domain/tasks/define-task.ts';
import { bindArguments } from '../domain/tasks/task-arguments.ts';
import { typeVersionOf } from '../domain/tasks/task-types.ts';
import type { CheckedFetch } from '../integrations/checked-fetch.ts';
import type { Db } from '../store/database.ts';
import { findTaskSteps } from '../store/tasks/task-step-find.ts';
import { saveTaskStep } from '../store/tasks/task-step-save.ts';
import { findTaskType } from '../store/tasks/task-type-list.ts';
import { ownContext } from './own-context.ts';
import { argumentsRefused, type RunnableTask, type TaskAsked, type TaskCode } from './task-code.ts';

export interface OwnTaskDependencies {
  db: Db;
  fetch: CheckedFetch;
}

/** The user's own tasks, and behind them those that Hapax brings along. An attempt ends on the code that it began with. */
export class OwnTasks implements TaskCode {
  readonly #deps: OwnTaskDependencies;
  readonly #others: TaskCode;
  #tasks: ReadonlyMap<string, RunnableTask> = new Map();

  constructor(deps: OwnTaskDependencies, others: TaskCode) {
    this.#deps = deps;
    this.#others = others;
  }

  /** What is run from now on. */
  replace(definitions: readonly DefinedTask[]): void {
    this.#tasks = new Map(definitions.map((task) => [task.name, runnable(task, this.#deps)]));
  }

  find(name: string): RunnableTask | undefined {
    return this.#tasks.get(name) ?? this.#others.find(name);
  }
}

function runnable(task: DefinedTask, { db, fetch }: OwnTaskDependencies): RunnableTask {
  const description = descriptionOf(task);
  const version = typeVersionOf('typescript', description);
  return {
    async run(asked, context) {
      const { log } = Context.current();
      const { task_id: taskId, type_version: accepted = version } = asked;
      const given = await read(
        task,
        asked,
        accepted === version ? description.parameters : await parametersAt(accepted),
      );
      if ('faults' in given) {
        if (accepted === version) throw argumentsRefused(given.faults);
        // What was accepted is run: code with another signature still has to read what waits.
        log.warn(`${task.name} runs with the arguments of an earlier signature, which do not fit the present one`, {
          ...{ task_id: taskId, accepted_under: accepted },
        });
      }
      const steps = {
        find: () => findTaskSteps(db, taskId),
        save: (name: string, result: string) => saveTaskStep(db, taskId, name, result),
      };
      return task.run(given.arguments, ownContext(context, { log, fetch, steps }));
    },
  };

  /** The parameters that the arguments were given for. */
  async function parametersAt(accepted: string): Promise<TaskParameter[] | null> {
    return ((await findTaskType(db, task.name, accepted)) ?? description).parameters;
  }
}

type Given = Parameters<DefinedTask['run']>[0];

/** The arguments as the schema of the task makes them; or as they came by name, with what is wrong with them. */
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
