import { queueNameParam } from '../../contracts/tasks/queue.ts';
import { saveQueuePause } from '../../store/tasks/queue-pause-save.ts';
import { needs } from '../access.ts';
import type { ConsoleDependencies } from '../app.ts';
import { seeOther } from '../flash.ts';
import { confirmed } from '../layout.ts';
import { valid } from '../queries.ts';
import type { Console } from '../view.ts';
import { pauseQuestion } from './queues.ts';

/** Adds the operations that pause and resume queues of tasks. */
export function pauseQueue(console: Console, { db }: ConsoleDependencies): void {
  console.post('/queues/:name/pause', needs('operate'), async (c) => {
    const { name } = valid(queueNameParam, c.req.param());
    return confirmed(c, { question: pauseQuestion(name), label: 'Pause it' }, async () => {
      await saveQueuePause(db, name, true, c.var.caller);
      c.var.log.info({ queue: name }, 'queue paused');
      const text = `The queue ${name} is paused. Within two seconds, no worker takes from it.`;
      return seeOther(c, 'queues', { tone: 'good', text });
    });
  });
  console.post('/queues/:name/resume', needs('operate'), async (c) => {
    const { name } = valid(queueNameParam, c.req.param());
    await saveQueuePause(db, name, false, c.var.caller);
    c.var.log.info({ queue: name }, 'queue resumed');
    return seeOther(c, 'queues', { tone: 'good', text: `The queue ${name} goes on.` });
  });
}
