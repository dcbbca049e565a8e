import {
  fittingBuilds,
  type ManyBuilds,
  type ManyOperation,
  operateBuild,
} from '../../commands/builds/operate-builds.ts';
import { operateMany } from '../../commands/lifecycle/operate-many.ts';
import { LIMITS } from '../../contracts/budgets.ts';
import { buildIdParam } from '../../contracts/builds/build.ts';
import type { Build } from '../../domain/builds/build.ts';
import { needs } from '../access.ts';
import type { ConsoleDependencies } from '../app.ts';
import { seeOther } from '../flash.ts';
import { unconfirmed } from '../layout.ts';
import { formOf } from '../parts/action.ts';
import { retryQuestion } from '../parts/build-operations.ts';
import { counted } from '../parts/time.ts';
import { valid } from '../queries.ts';
import { type Console, type ConsoleContext, linkTo } from '../view.ts';
import { buildFilter } from './builds.ts';

const WORDS = {
  cancel: {
    label: 'Cancel them',
    asks: 'Cancel',
    done: 'Cancel requested for',
    none: 'No selected build is queued or in progress.',
  },
  retry: { label: 'Retry them', asks: 'Retry', done: 'Queued again:', none: 'No selected build has failed.' },
} as const;

/** Cancels or retries the selected builds, or all that match the filters. It always asks first, and says how many there are. */
export function operateManyBuilds(console: Console, deps: ConsoleDependencies): void {
  console.post('/builds/cancel', needs('operate'), (c) => operate(c, deps, 'cancel'));
  console.post('/builds/retry', needs('operate'), (c) => operate(c, deps, 'retry'));
}

async function operate(c: ConsoleContext, deps: ConsoleDependencies, operation: ManyOperation): Promise<Response> {
  const form = await formOf(c);
  const words = WORDS[operation];
  const fields = Object.fromEntries(
    [...form].filter(([name, value]) => value !== '' && name !== 'id' && name !== 'ids'),
  );
  const filter = valid(buildFilter, fields);
  const back = linkTo('builds', filter);
  const ids = [...form.getAll('id'), ...(form.get('ids') ?? '').split(',')].filter((id) => id !== '');
  const chosen = ids.slice(0, LIMITS.lists.operatedAtOnce).map((id) => valid(buildIdParam, { id }).id);
  const which: ManyBuilds = form.get('all') ? { filter } : { ids: chosen };
  const { builds, more } = await fittingBuilds(deps, operation, which);
  if (builds.length === 0) return seeOther(c, back, { tone: 'bad', text: words.none });
  if (!form.get('sure')) {
    const rest = more ? ` More match; repeat it for the rest.` : '';
    const question = `${words.asks} ${counted(builds.length, 'build')}?${warningOf(operation, builds)}${rest}`;
    return unconfirmed(c, { question, fields: { ...fields, ids: chosen.join(',') }, label: words.label });
  }
  const { done, refused, left } = await operateMany(
    builds.map(({ id }) => id),
    (id) => operateBuild(deps, operation, id, c.var.caller),
  );
  c.var.log.info({ operation, done: done.length, refused: refused.length, left: left.length }, 'builds operated');
  const first = refused[0];
  const told = first ? ` ${counted(refused.length, 'build')} refused; build ${first.id}: ${first.detail}` : '';
  const rest = left.length > 0 ? ` ${counted(left.length, 'build')} left; repeat it for them.` : '';
  return seeOther(c, back, {
    tone: first ? 'bad' : 'good',
    text: `${words.done} ${counted(done.length, 'build')}.${rest}${told}`,
  });
}

/** Warns of builds whose retry sends another dispatch although a run may exist. */
function warningOf(operation: ManyOperation, builds: readonly Build[]): string {
  const unsure = operation === 'retry' ? builds.filter((build) => retryQuestion(build, undefined)).length : 0;
  if (unsure === 0) return '';
  return ` For ${counted(unsure, 'build')} among them, a run may still be going: if it is, the workflow runs twice.`;
}
