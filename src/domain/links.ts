import type { BuildLinks, TaskLinks } from '../contracts/links.ts';
import type { Build } from './builds/build.ts';
import type { Task } from './tasks/task.ts';

/** Temporal's Web UI. */
export interface TemporalUi {
  /** Where it is served, without a slash at the end; undefined where that is not known. */
  url: string | undefined;
  namespace: string;
}

/** The page of a workflow in Temporal's Web UI; null where that is not known. */
export function workflowPage({ url, namespace }: TemporalUi, workflowId: string): string | null {
  if (url === undefined) return null;
  return `${url}/namespaces/${encodeURIComponent(namespace)}/workflows/${encodeURIComponent(workflowId)}`;
}

/** What belongs to a build elsewhere. */
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

/** What belongs to a task elsewhere. */
export function taskLinksOf(task: Pick<Task, 'id' | 'workflow_id'>, ui: TemporalUi): TaskLinks {
  const self = `/tasks/${encodeURIComponent(task.id)}`;
  return { self, events: `${self}/events`, workflow: workflowPage(ui, task.workflow_id) };
}
