import { randomUUID } from 'node:crypto';
import type { Client } from '@temporalio/client';
import type { RecordedEvent, ToldEvent } from '../../contracts/builds/event.ts';
import { callbackWorkflowId, targetOf } from '../../contracts/endings/callback-workflow.ts';
import type { ErasureEvent } from '../../contracts/erasures/erasure-event.ts';
import { holdsValues } from '../../domain/record/held-values.ts';
import { IllegalEvent } from '../../domain/record/illegal-event.ts';
import { BUILDS } from '../../store/builds/build-stream.ts';
import { deleteDeadMessage } from '../../store/celery/dead-message-delete.ts';
import { findDeadMessage } from '../../store/celery/dead-message-find.ts';
import type { ContentStore } from '../../store/content/content-store.ts';
import { type Db, inTransaction } from '../../store/database.ts';
import { listCallbackTargets } from '../../store/endings/callback-target-list.ts';
import { ENDINGS } from '../../store/endings/ending-find.ts';
import { markSourcesErased } from '../../store/erasures/content-source.ts';
import { ERASURES } from '../../store/erasures/erasure-stream.ts';
import { eraseSubject, hasValuesBeside } from '../../store/erasures/subject-erase.ts';
import { appendEvent } from '../../store/record/event-append.ts';
import { findStream } from '../../store/record/stream-find.ts';
import { type StreamKind, streamOf } from '../../store/record/stream-kind.ts';
import { TASKS } from '../../store/tasks/task-stream.ts';
import type { Subject } from '../lifecycle/kind.ts';
import { notFound, Refusal } from '../refusal.ts';
import { deleteWorkflows, type Run } from './delete-workflows.ts';

export interface EraseDependencies {
  db: Db;
  client: Client;
  content: Pick<ContentStore, 'find' | 'erase'>;
}

/**
 * Erases the data of one build, task, content or refused message, and records that it was erased. A repeat changes nothing.
 * @param id `build:`, `task:`, `content:` or `message:`, and the id.
 * @throws {Refusal} 404; 409 if it has not ended, or its events hold the data themselves; 503.
 */
export async function erase(deps: EraseDependencies, id: string, by: string): Promise<void> {
  const [kind, name = ''] = id.split(/:(.*)/s);
  if (kind === 'build') return eraseOf(deps, BUILDS, Number(name), 'build_erased', by);
  if (kind === 'task') return eraseOf(deps, TASKS, name, 'task_erased', by);
  if (kind === 'content') return eraseContent(deps, name, by);
  return eraseMessage(deps, name, by);
}

/** Erases copies outside the record first: once the record is erased, nobody looks for them again. */
async function eraseOf<State extends Subject & { erased_at: string | null }, Event extends ToldEvent>(
  { db, client }: EraseDependencies,
  kind: StreamKind<State, Event>,
  id: State['id'],
  type: Event['type'],
  by: string,
): Promise<void> {
  const stream = streamOf(kind, id);
  const found = await findStream(db, kind, id);
  if (!found) throw notFound(`${kind.name} ${id}`);
  const { state, events } = found;
  const notEnded = () => new Refusal('state_conflict', { detail: `${kind.name} ${id} has not ended; cancel it first` });
  if (state.completed_at === null) throw notEnded();
  if (events.some(holdsValues)) {
    const detail = `an earlier version of Hapax recorded ${kind.name} ${id} with its data in the log, where nothing can be erased`;
    throw new Refusal('state_conflict', { detail });
  }
  // Only builds share a workflow id.
  const isMeant = ({ memo }: Run) => kind.name !== BUILDS.name || memo?.build_id === id;
  await deleteWorkflows(client, state.workflow_id!, { isMeant });
  for (const workflowId of await callbacksOf(db, stream, events))
    await deleteWorkflows(client, workflowId, { ends: true });
  if (state.erased_at !== null && !(await hasValuesBeside(db, stream))) return;
  const event = {
    type,
    data: { by },
    occurred_at: new Date().toISOString(),
    // If two erase at the same time, one records it.
    dedupe_key: `erased:${events.length}`,
  } as unknown as Event;
  await eraseSubject(db, kind, id, event).catch((error: unknown) => {
    // It was restarted a moment ago.
    throw error instanceof IllegalEvent ? notEnded() : error;
  });
}

/** Returns the workflows of the callbacks about a build or task: they hold what they sent. Those that still try have no URL any more. */
async function callbacksOf(db: Db, stream: string, events: readonly RecordedEvent[]): Promise<string[]> {
  const targets = await listCallbackTargets(db, stream);
  const endings = events.filter(({ type }) => ENDINGS.includes(type));
  return endings.flatMap(({ dedupe_key: ending }) =>
    targets.map((target) => callbackWorkflowId({ subject: stream, ending, ...targetOf(target) })),
  );
}

async function eraseContent({ db, content }: EraseDependencies, id: string, by: string): Promise<void> {
  const row = await content.find(id);
  if (!row) {
    // An earlier version of Hapax could save a summary after the erasure of its content.
    await content.erase(id);
    throw notFound(`content ${id}`);
  }
  // Records the erasure first, and once. If it stops here, it is on record, and the next one completes it.
  await inTransaction(db, async (tx) => {
    if (await markSourcesErased(tx, id, row.blob_key)) await appendEvent(tx, ERASURES, ...erasureOf('content', by));
  });
  await content.erase(id);
}

async function eraseMessage({ db }: EraseDependencies, id: string, by: string): Promise<void> {
  if (!(await findDeadMessage(db, id))) throw notFound(`message ${id}`);
  await inTransaction(db, async (tx) => {
    await appendEvent(tx, ERASURES, ...erasureOf('message', by));
    await deleteDeadMessage(tx, id);
  });
}

function erasureOf(what: ErasureEvent['data']['what'], by: string): [id: string, event: ErasureEvent] {
  const erasure_id = randomUUID();
  return [
    erasure_id,
    {
      type: 'erasure_recorded',
      data: { erasure_id, what, by },
      occurred_at: new Date().toISOString(),
      dedupe_key: 'recorded',
    },
  ];
}
