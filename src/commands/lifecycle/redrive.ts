import type { RecordedEvent } from '../../contracts/builds/event.ts';
import type { DiscardAnswer, ManyBody, RedriveAnswer } from '../../contracts/builds/operator.ts';
import { type DeadMessage, REDELIVER_WORKFLOW, redeliverWorkflowId } from '../../contracts/celery/dead-message.ts';
import { SAMPLE } from '../../contracts/many.ts';
import { BUILDS } from '../../store/builds/build-stream.ts';
import { findDeadMessage } from '../../store/celery/dead-message-find.ts';
import { settleDeadMessage } from '../../store/celery/dead-message-settle.ts';
import { countDeadLetters, type DeadLetterCount } from '../../store/endings/dead-letter-count.ts';
import {
  type DeadLetter,
  type ListedDeadLetter,
  listDeadLetterIds,
  listDeadLetters,
} from '../../store/endings/dead-letter-list.ts';
import { appendEvent } from '../../store/record/event-append.ts';
import { findStream } from '../../store/record/stream-find.ts';
import { TASKS } from '../../store/tasks/task-stream.ts';
import type { redeliver as redeliverWorkflow } from '../../workflows/index.ts';
import { type OperateDependencies, retryBuild } from '../builds/operate-build.ts';
import { readTextCursor, writeCursor } from '../cursor.ts';
import { Refusal } from '../refusal.ts';
import type { TaskDependencies } from '../tasks/create-task.ts';
import { redriveTask } from '../tasks/redrive-task.ts';
import { startWorkflow } from './start-workflow.ts';

export type RedriveDependencies = OperateDependencies & TaskDependencies;

/** Finds the dead letter with this id, with all its events. @throws {Refusal} 404 if there is none, or it is not dead (any more). */
export async function findDeadLetter(
  { db }: Pick<OperateDependencies, 'db'>,
  id: string,
): Promise<{ letter: DeadLetter; events: RecordedEvent[] }> {
  const [kind, name = ''] = id.split(/:(.*)/s);
  if (kind === 'build') {
    const found = await findStream(db, BUILDS, Number(name));
    if (found?.state.dead_lettered || found?.state.needs_attention) {
      return { letter: { kind: 'build', build: found.state }, events: found.events };
    }
  } else if (kind === 'message') {
    const message = await findDeadMessage(db, name);
    if (message?.settled === null) return { letter: { kind: 'message', message }, events: [] };
  } else {
    const found = await findStream(db, TASKS, name);
    if (found?.state.dead_lettered) return { letter: { kind: 'task', task: found.state }, events: found.events };
  }
  throw new Refusal('not_found', { detail: `${id} is not a dead letter` });
}

/**
 * Redrives a dead letter. A build with a known run re-runs that run; another build is dispatched again.
 * @throws {Refusal} 404; 409, also if it has a run and its forge cannot re-run one; 503.
 */
export async function redriveDeadLetter(deps: RedriveDependencies, id: string, by: string): Promise<DeadLetter> {
  const { letter } = await findDeadLetter(deps, id);
  if (letter.kind === 'build') {
    const { id, workflow_run_id } = letter.build;
    const mode = workflow_run_id === null ? 'redispatch' : 'rerun';
    return { kind: 'build', build: await retryBuild(deps, id, mode, by) };
  }
  if (letter.kind === 'message') {
    await redeliver(deps, letter.message, by);
    return letter;
  }
  if (!(await redriveTask(deps, letter.task, by))) {
    throw new Refusal('state_conflict', { detail: `${id} is already being redriven` });
  }
  return { kind: 'task', task: { ...letter.task, status: 'PENDING' } };
}

/** Makes the bridge publish a refused message again, once for each time that it was refused. @throws {Refusal} 409, 503 */
async function redeliver({ client, db }: RedriveDependencies, message: DeadMessage, by: string): Promise<void> {
  const { id, refusals, queue } = message;
  const { routing_key, exchange } = JSON.parse(message.publication) as { routing_key: string; exchange?: string };
  if (!routing_key && !exchange) {
    throw new Refusal('state_conflict', {
      detail: `what follows a task of ${queue} is too large to be published`,
    });
  }
  const input = { id, refusals };
  await startWorkflow<typeof redeliverWorkflow>({ client }, REDELIVER_WORKFLOW, input, 'REJECT_DUPLICATE', {
    workflowId: redeliverWorkflowId(input),
    staticSummary: `message ${id} again`,
  });
  await settleDeadMessage(db, message, 'redriven', by);
}

/** Redrives the dead letters that match, one after the other. If one is refused, the others go on. */
export async function redriveMany(deps: RedriveDependencies, many: ManyBody, by: string): Promise<RedriveAnswer> {
  const { done, ...answer } = await forEachLetter(deps, many, (id) => redriveDeadLetter(deps, id, by));
  return { redriven: done, ...answer };
}

/** Discards the dead letters that match, in the same way. */
export async function discardMany(deps: RedriveDependencies, many: ManyBody, by: string): Promise<DiscardAnswer> {
  const { done, ...answer } = await forEachLetter(deps, many, (id) => discardDeadLetter(deps, id, by));
  return { discarded: done, ...answer };
}

/** Counts what a filter would redrive or discard, with the causes and the first of them. */
export async function countMany(
  { db }: Pick<RedriveDependencies, 'db'>,
  { limit: _limit, dry_run: _dry, cursor: _cursor, ...filter }: ManyBody,
): Promise<DeadLetterCount & { sample: ListedDeadLetter[] }> {
  const [counted, { items }] = await Promise.all([
    countDeadLetters(db, filter),
    listDeadLetters(db, { ...filter, limit: SAMPLE }),
  ]);
  return { ...counted, sample: items };
}

async function forEachLetter(
  { db }: RedriveDependencies,
  { cursor, dry_run: _, ...filter }: ManyBody,
  act: (id: string) => Promise<unknown>,
): Promise<{ done: string[]; refused: RedriveAnswer['refused']; next_cursor: string | null }> {
  const { items, end } = await listDeadLetterIds(db, { ...filter, after: readTextCursor(cursor) });
  const done: string[] = [];
  const refused: RedriveAnswer['refused'] = [];
  for (const { id } of items) {
    try {
      await act(id);
      done.push(id);
    } catch (error) {
      const isOfThis = error instanceof Refusal && (!error.retryAfterSeconds || error.code === 'still_closing');
      if (!isOfThis) throw error;
      refused.push({ id, detail: error.message });
    }
  }
  return { done, refused, next_cursor: writeCursor(end) };
}

/**
 * Takes a dead letter off the list. An event, or a mark on a message, says who did.
 * @throws {Refusal} 404; 409 if it still waits for an operator
 */
export async function discardDeadLetter({ db }: RedriveDependencies, id: string, by: string): Promise<void> {
  const { letter } = await findDeadLetter({ db }, id);
  const event = { type: 'dead_letter_discarded', data: { by }, occurred_at: new Date().toISOString() } as const;
  if (letter.kind === 'message') {
    if (await settleDeadMessage(db, letter.message, 'discarded', by)) return;
    throw new Refusal('state_conflict', { detail: `${id} was refused again a moment ago; look at it first` });
  }
  if (letter.kind === 'task') {
    const { task } = letter;
    await appendEvent(db, TASKS, task.id, { ...event, dedupe_key: `discarded:${task.redrives}` });
    return;
  }
  const { build } = letter;
  if (build.needs_attention) {
    throw new Refusal('state_conflict', {
      detail: `${id} needs attention and cannot be discarded; cancel the build instead`,
    });
  }
  await appendEvent(db, BUILDS, build.id, { ...event, dedupe_key: `discarded:${build.retries}` });
}
