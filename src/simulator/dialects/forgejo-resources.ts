import { headShaOf } from '../resources.ts';
import type { Moment, Run } from '../run.ts';
import { giteaConclusion, giteaRepository, giteaTime, giteaUser } from './gitea-resources.ts';

/**
 * What Forgejo 16 writes (modules/structs/action.go and services/convert/action.go of its sources), as far as a client of runs reads it.
 */

const NEVER = '1970-01-01T00:00:00Z';

/** The state in Forgejo's one word. */
function statusOf({ status, conclusion }: Moment): string {
  if (status === 'completed') return giteaConclusion(conclusion);
  return status === 'queued' ? 'waiting' : status === 'in_progress' ? 'running' : 'blocked';
}

/** The address of a run names its number in the repository, not its id. */
export function forgejoRunPage(run: Run, origin: string): string {
  return `${origin}/${run.repository}/actions/runs/${run.runNumber}`;
}

/** GET /repos/{owner}/{repo}/actions/runs/{run_id}. Its title is the name of the workflow; the inputs stand in `event_payload`. */
export function forgejoRun(run: Run, state: Moment, origin: string) {
  const ended = state.status === 'completed';
  return {
    id: run.id,
    title: run.workflow.replace(/\.ya?ml$/, ''),
    repository: giteaRepository(run.repository, origin),
    workflow_id: run.workflow,
    index_in_repo: run.runNumber,
    trigger_user: giteaUser(run.actor, origin),
    ScheduleID: 0,
    prettyref: run.ref,
    is_ref_deleted: false,
    commit_sha: headShaOf(run),
    is_fork_pull_request: false,
    need_approval: false,
    approved_by: 0,
    event: run.event,
    event_payload: JSON.stringify({
      inputs: run.displayTitle === UNDECLARED ? {} : run.inputs,
      ref: `refs/heads/${run.ref}`,
      workflow: `.forgejo/workflows/${run.workflow}`,
    }),
    trigger_event: run.event,
    status: statusOf(state),
    started: state.status === 'queued' ? NEVER : giteaTime(state.attemptStartedAt),
    stopped: ended ? giteaTime(state.at) : NEVER,
    created: giteaTime(run.createdAt),
    updated: giteaTime(state.at),
    duration: 0,
    html_url: forgejoRunPage(run, origin),
  };
}

/** Title of a run whose inputs its workflow does not declare: Forgejo drops them. */
export const UNDECLARED = 'undeclared';

/** An element of GET /repos/{owner}/{repo}/actions/runs/{run_id}/jobs. */
export function forgejoJob(run: Run, state: Moment) {
  const waits = state.status === 'queued';
  return {
    id: run.id * 10 + 1,
    attempt: waits ? state.attempt - 1 : state.attempt,
    handle: `${run.id}-${state.attempt}`,
    repo_id: 1,
    owner_id: 1,
    name: 'build',
    needs: [],
    runs_on: ['docker'],
    task_id: waits ? 0 : run.id,
    status: statusOf(state),
  };
}

/** The body of its webhooks about runs, which tell of ends only. */
export function forgejoRunEvent(run: Run, state: Moment, origin: string) {
  const { status } = forgejoRun(run, state, origin);
  const action = status === 'success' ? 'success' : 'failure';
  return { action, run: forgejoRun(run, state, origin), prior_status: 'running' };
}
