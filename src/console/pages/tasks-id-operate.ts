import { retryTask } from '../../commands/tasks/retry-task.ts';
import { revokeTask } from '../../commands/tasks/revoke-task.ts';
import { taskIdParam } from '../../contracts/tasks/task.ts';
import { needs } from '../access.ts';
import type { ConsoleDependencies } from '../app.ts';
import { seeOther } from '../flash.ts';
import { confirmed } from '../layout.ts';
import { taskPath } from '../parts/task-cells.ts';
import { valid } from '../queries.ts';
import type { Console } from '../view.ts';
import { REVOKE_QUESTION } from './tasks-id.ts';

/** Adds the operations on a task. */
export function operateTask(console: Console, deps: ConsoleDependencies): void {
  console.post('/tasks/:id/retry', needs('operate'), async (c) => {
    const { id } = valid(taskIdParam, c.req.param());
    await retryTask(deps, id, c.var.caller);
    c.var.log.info({ task_id: id }, 'task retried');
    return seeOther(c, taskPath(id), { tone: 'good', text: 'The task is queued again.' });
  });
  console.post('/tasks/:id/revoke', needs('operate'), async (c) => {
    const { id } = valid(taskIdParam, c.req.param());
    return confirmed(c, { question: REVOKE_QUESTION, label: 'Revoke it' }, async () => {
      await revokeTask(deps, id, { by: c.var.caller, reason: 'terminated' });
      c.var.log.info({ task_id: id }, 'revocation requested');
      const text = 'Revocation requested. This page shows when it has ended.';
      return seeOther(c, taskPath(id), { tone: 'good', text });
    });
  });
}
