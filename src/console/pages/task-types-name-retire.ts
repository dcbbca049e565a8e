import { retireTaskType } from '../../commands/tasks/retire-task-type.ts';
import { taskTypeParam } from '../../contracts/tasks/task-type.ts';
import { needs } from '../access.ts';
import type { ConsoleDependencies } from '../app.ts';
import { seeOther } from '../flash.ts';
import { confirmed } from '../layout.ts';
import { valid } from '../queries.ts';
import type { Console } from '../view.ts';
import { retireQuestion } from './task-types.ts';

/** Adds the operation that retires a task type without workers. */
export function retireType(console: Console, deps: ConsoleDependencies): void {
  console.post('/task-types/:name/retire', needs('operate'), async (c) => {
    const { name } = valid(taskTypeParam, c.req.param());
    return confirmed(c, { question: retireQuestion(name), label: 'Retire it' }, async () => {
      await retireTaskType(deps, name);
      c.var.log.info({ task: name, by: c.var.caller }, 'task type retired');
      return seeOther(c, 'task-types', { tone: 'good', text: `The task type ${name} is retired.` });
    });
  });
}
