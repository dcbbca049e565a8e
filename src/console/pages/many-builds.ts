import { html } from 'hono/html';
import { fittingBuilds, type ManyOperation, operateBuild } from '../../commands/builds/operate-builds.ts';
import { buildIdParam, buildListQuery } from '../../contracts/builds/build.ts';
import type { Build } from '../../domain/builds/build.ts';
import type { ConsoleDependencies } from '../app.ts';
import { buildColumns } from '../parts/build-columns.ts';
import { retryQuestion } from '../parts/build-operations.ts';
import { fittingRows, type ManyAction, operateOnMany } from '../parts/many.ts';
import { notice } from '../parts/notice.ts';
import { counted } from '../parts/time.ts';
import { valid } from '../queries.ts';
import type { Console, Html } from '../view.ts';

interface BuildOperation extends ManyAction {
  operation: ManyOperation;
  meaning(builds: readonly Build[]): Html;
  leftOut: string;
  done: string;
}

/** Operations on many builds. */
export const BUILD_OPERATIONS: readonly BuildOperation[] = [
  {
    to: 'many-builds/retry',
    label: 'Retry',
    operation: 'retry',
    meaning: (builds) =>
      html`Each runs its run again. One that has no run, or whose forge cannot do that, is dispatched again.${warningOf(builds)}`,
    leftOut: 'left out: only a build that failed can be retried',
    done: 'queued again',
  },
  {
    to: 'many-builds/cancel',
    label: 'Cancel',
    tone: 'danger',
    operation: 'cancel',
    meaning: () => html`A dispatch that was not sent yet never is. A run that exists is cancelled at its forge too.`,
    leftOut: 'left out: only a build that has not ended can be cancelled',
    done: 'told to stop',
  },
];

/** Filters of the list, as in its URL. */
export const buildFilter = buildListQuery.omit({ limit: true, cursor: true, at: true, count: true }).strip();

/** Cancels and retries many builds: those selected in the list, or all that match its filter. */
export function manyBuilds(console: Console, deps: ConsoleDependencies): void {
  const idOf = (id: string) => valid(buildIdParam, { id }).id;
  for (const { operation, leftOut, ...action } of BUILD_OPERATIONS) {
    operateOnMany(console, {
      ...{ ...action, noun: 'build', place: 'builds', filter: buildFilter, columns: buildColumns },
      ...fittingRows((which) => fittingBuilds(deps, operation, which), idOf),
      operate: (id, by) => operateBuild(deps, operation, idOf(id), by),
      leftOut: (without) => `${counted(without, 'build')} ${leftOut}.`,
      idOf: ({ id }) => String(id),
    });
  }
}

/** Warns of builds whose retry sends another dispatch although a run may exist. */
function warningOf(builds: readonly Build[]): Html | string {
  const unsure = builds.filter((build) => retryQuestion(build, undefined)).length;
  if (unsure === 0) return '';
  return notice(
    'warn',
    `${counted(unsure, 'build')} among them: a run may still be going.`,
    'If it is, the workflow runs twice. Look at the build first.',
  );
}
