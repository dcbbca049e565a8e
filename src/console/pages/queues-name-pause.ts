import { queueNameParam } from '../../contracts/tasks/queue.ts';
import { saveQueuePause } from '../../store/tasks/queue-pause-save.ts';
import { needs } from '../access.ts';
import type { ConsoleDependencies } from '../app.ts';
import { seeOther } from '../flash.ts';
import { unconfirmed } from '../layout.ts';
import { fieldsOf } from '../parts/action.ts';
import { valid } from '../queries.ts';
import type { Console } from '../view.ts';

/** Adds the operations that pause and resume queues of tasks. */
export function pauseQueue(console: Console, { db }: ConsoleDependencies): void {
  console.post('/queues/:name/pause', needs('operate'), async (c) => {
    const { name } = valid(queueNameParam, c.req.param());
    const { sure, ...fields } = await fieldsOf(c);
    const question = `Pause the queue ${name}? No worker takes a task from it until it is resumed, over restarts. What runs goes on.`;
    if (!sure) return unconfirmed(c, { question, fields, label: 'Pause it' });
    await saveQueuePause(db, name, true, c.var.caller);
    c.var.log.info({ queue: name }, 'queue paused');
    return seeOther(c, 'queues', {
      tone: 'good',
      text: `The queue ${name} is paused. Within two seconds, no worker takes from it.`,
    });
  });
  console.post('/queues/:name/resume', needs('operate'), async (c) => {
    const { name } = valid(queueNameParam, c.req.param());
    await saveQueuePause(db, name, false, c.var.caller);
    c.var.log.info({ queue: name }, 'queue resumed');
    return seeOther(c, 'queues', { tone: 'good', text: `The queue ${name} goes on.` });
  });
}
