import { pauseSchedule, resumeSchedule } from '../../commands/schedules/change-schedule.ts';
import { triggerSchedule } from '../../commands/schedules/trigger-schedule.ts';
import { scheduleParam } from '../../contracts/schedules/schedule.ts';
import { needs } from '../access.ts';
import type { ConsoleDependencies } from '../app.ts';
import { seeOther } from '../flash.ts';
import { confirmed } from '../layout.ts';
import { valid } from '../queries.ts';
import type { Console } from '../view.ts';
import { fireQuestion } from './schedules.ts';

const PAGE = 'schedules';

/** Adds the operations on a schedule. */
export function operateSchedule(console: Console, deps: ConsoleDependencies): void {
  console.post('/schedules/:name/pause', needs('operate'), async (c) => {
    const { name } = valid(scheduleParam, c.req.param());
    await pauseSchedule(deps, name, c.var.caller);
    c.var.log.info({ schedule: name }, 'schedule paused');
    return seeOther(c, PAGE, { tone: 'good', text: `${name} is paused.` });
  });
  console.post('/schedules/:name/resume', needs('operate'), async (c) => {
    const { name } = valid(scheduleParam, c.req.param());
    await resumeSchedule(deps, name, c.var.caller);
    c.var.log.info({ schedule: name }, 'schedule resumed');
    return seeOther(c, PAGE, { tone: 'good', text: `${name} fires again.` });
  });
  console.post('/schedules/:name/trigger', needs('trigger'), async (c) => {
    const { name } = valid(scheduleParam, c.req.param());
    return confirmed(c, { question: fireQuestion(name), label: 'Fire it' }, async () => {
      const { made, refused } = await triggerSchedule(deps, name, c.var.caller);
      c.var.log.info({ schedule: name, made: made.length, refused: refused.length }, 'schedule fired by hand');
      const text = `It made ${made.map((one) => one.made).join(', ') || 'nothing'}.`;
      if (refused.length === 0) return seeOther(c, PAGE, { tone: 'good', text });
      const why = refused.map(({ config, detail }) => `${config}: ${detail}`).join('; ');
      return seeOther(c, PAGE, { tone: 'bad', text: `${text} ${refused.length} refused: ${why}` });
    });
  });
}
