import type { BuildLinks, TaskLinks } from '../contracts/links.ts';
import type { Build } from './builds/build.ts';
import type { Task } from './tasks/task.ts';

/** Temporal's Web UI. */
export interface TemporalUi {
  /** Its base URL, without a trailing slash; undefined if unknown. */
  url: string | undefined;
  namespace: string;
}

/** Returns the page of a workflow in Temporal's Web UI; null if its address is unknown. */
export function workflowPage({ url, namespace }: TemporalUi, workflowId: string): string | null {
  if (url === undefined) return null;
  return `${url}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(workflowId)}`;
}

/** Returns links to what belongs to a build. */
export function buildLinksOf(build: Build, ui: TemporalUi): BuildLinks {
  const self = `/builds/${build.id}`;
  return {
    self,
    events: `${self}/events`,
    verify: `${self}/verify`,
    run: build.run_url,
    workflow: workflowPage(ui, build.workflow_id),
  };
}

/** Returns links to what belongs to a task. */
export function taskLinksOf(task: Pick<Task, 'id' | 'workflow_id'>, ui: TemporalUi): TaskLinks {
  const self = `/tasks/${encodeURIComponent(task.id)}`;
  return { self, events: `${self}/events`, workflow: workflowPage(ui, task.workflow_id) };
}
