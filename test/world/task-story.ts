import type { TaskEvent } from '../../src/contracts/tasks/task-event.ts';

/** What happened to a task: queued, started, succeeded. @param change of what it was queued with. */
export function taskStory(id: string, change: object = {}, result: unknown = null): TaskEvent[] {
  const data = {
    ...{ task_id: id, workflow_id: `task-${id}`, fingerprint: id, caller: 'local', door: 'http' as const },
    ...{ name: 'semantic_search', queue: 'search', args: [], kwargs: {}, priority: null, eta: null, expires: null },
    ...{ soft_limit_ms: null, hard_limit_ms: null, callback_origin: null, root_id: null, parent_id: null },
    ...change,
  };
  const at = (second: number) => new Date(Date.UTC(2026, 10, 21, 10, 0, second)).toISOString();
  return [
    { type: 'task_queued', data, occurred_at: at(0), dedupe_key: 'queued' },
    { type: 'task_started', data: { attempt: 1, worker: 'w' }, occurred_at: at(1), dedupe_key: 'started' },
    { type: 'task_succeeded', data: { result }, occurred_at: at(2), dedupe_key: 'ended' },
  ];
}
