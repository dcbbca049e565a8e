import { html } from 'hono/html';
import { discardDeadLetter, redriveDeadLetter } from '../../commands/lifecycle/redrive.ts';
import { LIMITS } from '../../contracts/budgets.ts';
import { deadLetterQuery } from '../../contracts/builds/operator.ts';
import { deadLetterIdOf, type ListedDeadLetter, listDeadLetters } from '../../store/endings/dead-letter-list.ts';
import { listDeadLettersById } from '../../store/endings/dead-letter-list-by-id.ts';
import type { ConsoleDependencies } from '../app.ts';
import { retryQuestion } from '../parts/build-operations.ts';
import { deadLetterColumns, deadLetterReason, needsAttention } from '../parts/dead-letter-cells.ts';
import { type ManyAction, operateOnMany } from '../parts/many.ts';
import { notice } from '../parts/notice.ts';
import { counted } from '../parts/time.ts';
import type { Console, Html } from '../view.ts';

interface DeadLetterOperation extends ManyAction {
  meaning: string;
  done: string;
  /** Says why builds that need attention are left out. */
  leftOut(count: number): string;
  /** Whether it works on a build that needs attention, if somebody selected it. */
  takesAttention: boolean;
  operate(deps: ConsoleDependencies, id: string, by: string): Promise<unknown>;
}

/** Operations on many dead letters. */
export const DEAD_LETTER_OPERATIONS: readonly DeadLetterOperation[] = [
  {
    to: 'many-dead-letters/redrive',
    label: 'Redrive',
    meaning:
      'A build follows its run, runs it again or is dispatched again. A task starts again with new retries. A message is published again.',
    done: 'redriven',
    leftOut: (count) =>
      `${counted(count, 'build')} left out: each needs a person to say that no run exists. Open it, or select it by itself.`,
    takesAttention: true,
    operate: redriveDeadLetter,
  },
  {
    to: 'many-dead-letters/discard',
    label: 'Discard',
    tone: 'danger',
    meaning: 'Each leaves the list of dead letters. The build, task or message and its events stay.',
    done: 'discarded',
    leftOut: (count) => `${counted(count, 'build')} left out: it needs attention. Cancel the build instead.`,
    takesAttention: false,
    operate: discardDeadLetter,
  },
];

const filterOf = deadLetterQuery.omit({ limit: true, cursor: true }).strip();

/** Redrives and discards many dead letters: those selected in the list, or all that match its filter. */
export function manyDeadLetters(console: Console, deps: ConsoleDependencies): void {
  const restful = (found: readonly ListedDeadLetter[]) => {
    const rows = found.filter((letter) => !needsAttention(letter));
    return { rows, without: found.length - rows.length };
  };
  for (const { meaning, takesAttention, operate, ...action } of DEAD_LETTER_OPERATIONS) {
    operateOnMany(console, {
      ...{ ...action, noun: 'dead letter', place: 'dead-letters', filter: filterOf, columns: deadLetterColumns },
      async match(filter) {
        const { items, end } = await listDeadLetters(deps.db, { ...filter, limit: LIMITS.lists.operatedAtOnce });
        return { ...restful(items), more: end !== undefined };
      },
      async select(ids) {
        const rows = await listDeadLettersById(deps.db, ids);
        return takesAttention ? { rows } : restful(rows);
      },
      operate: (id, by) => operate(deps, id, by),
      meaning: (rows) => html`${meaning}${takesAttention ? assertionOf(rows) : ''}`,
      facts: reasonCounts,
      idOf: (letter: ListedDeadLetter) => deadLetterIdOf(letter),
    });
  }
}

/** Says whether a redrive sends another dispatch although a run may exist. If the run is known, it runs that again, or is refused. */
function mayRunTwice(letter: ListedDeadLetter): boolean {
  return letter.kind === 'build' && retryQuestion(letter.build, 'rerun') !== undefined;
}

/** Warns of builds whose redrive says that no run exists. */
function assertionOf(rows: readonly ListedDeadLetter[]): Html | string {
  const asserting = rows.filter(mayRunTwice).length;
  if (asserting === 0) return '';
  return notice(
    'warn',
    `${counted(asserting, 'build')} among them: you say that no run exists.`,
    'Each sends another dispatch. If a run exists after all, the workflow runs twice. Look at the build first.',
  );
}

/** How many reasons a preview counts separately. */
const REASONS = 6;

/** Returns how many dead letters have each reason. */
function reasonCounts(rows: readonly ListedDeadLetter[]): Html {
  const counts = new Map<string, number>();
  for (const letter of rows) {
    const reason = deadLetterReason(letter);
    counts.set(reason, (counts.get(reason) ?? 0) + 1);
  }
  const sorted = [...counts].sort(([, a], [, b]) => b - a);
  const rest = sorted.slice(REASONS).reduce((sum, [, number]) => sum + number, 0);
  return html`<dl class="counts">${sorted.slice(0, REASONS).map(([reason, number]) => html`<div><dt>${number}</dt><dd>${reason === '' ? 'no reason' : reason}</dd></div>`)}${rest > 0 ? html`<div><dt>${rest}</dt><dd>other reasons</dd></div>` : ''}</dl>`;
}
