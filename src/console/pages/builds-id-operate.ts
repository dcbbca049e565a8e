import { z } from 'zod';
import { adoptRun, cancelBuild, existing, retryBuild } from '../../commands/builds/operate-build.ts';
import { buildIdParam } from '../../contracts/builds/build.ts';
import { retryMode } from '../../contracts/builds/operator.ts';
import { needs } from '../access.ts';
import type { ConsoleDependencies } from '../app.ts';
import { seeOther } from '../flash.ts';
import { confirmed } from '../layout.ts';
import { fieldsOf } from '../parts/action.ts';
import { adoptQuestion, cancelQuestion, retryQuestion } from '../parts/build-operations.ts';
import { valid } from '../queries.ts';
import type { Console } from '../view.ts';

const retryFields = z.object({ mode: retryMode.optional() });
const adoptFields = z.object({ run_id: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER) });

/** Adds the operations on a build. */
export function operateBuild(console: Console, deps: ConsoleDependencies): void {
  console.post('/builds/:id{[0-9]+}/cancel', needs('operate'), async (c) => {
    const { id } = valid(buildIdParam, c.req.param());
    const question = cancelQuestion(await existing(deps, id));
    return confirmed(c, { question, label: 'Cancel it' }, async () => {
      await cancelBuild(deps, id, c.var.caller);
      c.var.log.info({ build_id: id }, 'cancel requested');
      return seeOther(c, `builds/${id}`, {
        tone: 'good',
        text: 'Cancel requested. This page shows when it has ended.',
      });
    });
  });
  console.post('/builds/:id{[0-9]+}/retry', needs('operate'), async (c) => {
    const { id } = valid(buildIdParam, c.req.param());
    const { mode } = valid(retryFields, await fieldsOf(c));
    const question = retryQuestion(await existing(deps, id), mode);
    return confirmed(c, { question, label: 'Dispatch it again' }, async () => {
      await retryBuild(deps, id, mode, c.var.caller);
      c.var.log.info({ build_id: id, mode }, 'retry requested');
      return seeOther(c, `builds/${id}`, { tone: 'good', text: `Build ${id} is queued again.` });
    });
  });
  console.post('/builds/:id{[0-9]+}/adopt', needs('operate'), async (c) => {
    const { id } = valid(buildIdParam, c.req.param());
    const { run_id } = valid(adoptFields, await fieldsOf(c));
    return confirmed(c, { question: adoptQuestion(id, run_id), label: 'Adopt it' }, async () => {
      await adoptRun(deps, id, { run_id });
      c.var.log.info({ build_id: id, run_id }, 'adoption requested');
      return seeOther(c, `builds/${id}`, { tone: 'good', text: `Build ${id} is told to follow run ${run_id}.` });
    });
  });
}
