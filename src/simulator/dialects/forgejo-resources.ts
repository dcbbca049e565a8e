import { forgeTime, headShaOf } from '../resources.ts';
import type { Moment, Run } from '../run.ts';
import { giteaConclusion, giteaRepository, giteaUser, NEVER } from './gitea-resources.ts';

/**
 * The objects of Forgejo 16 (modules/structs/action.go and services/convert/action.go in its sources), with the fields that a client of
 * runs reads.
 */

/** Returns Forgejo's one word for the state. */
function statusOf({ status, conclusion }: Moment): string {
  if (status === 'completed') return giteaConclusion(conclusion);
  return status === 'queued' ? 'waiting' : status === 'in_progress' ? 'running' : 'blocked';
}

/** Returns the URL of a run, which contains its number in the repository and not its id. */
export function forgejoRunPage(run: Run, origin: string): string {
  return `${origin}/${run.repository}/actions/runs/${run.runNumber}`;
}

/**
 * Returns the response of GET /repos/{owner}/{repo}/actions/runs/{run_id}. Its title is the name of the workflow; `event_payload` contains
 * the inputs.
 */
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
    started: state.status === 'queued' ? NEVER : forgeTime(state.attemptStartedAt),
    stopped: ended ? forgeTime(state.at) : NEVER,
    created: forgeTime(run.createdAt),
    updated: forgeTime(state.at),
    duration: 0,
    html_url: forgejoRunPage(run, origin),
  };
}

/** Title of a run whose workflow does not declare its inputs. Forgejo drops them. */
export const UNDECLARED = 'undeclared';

/** Returns an element of the response of GET /repos/{owner}/{repo}/actions/runs/{run_id}/jobs. */
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

/** Returns the body of Forgejo's webhooks about runs, which report only ends. */
export function forgejoRunEvent(run: Run, state: Moment, origin: string) {
  const { status } = forgejoRun(run, state, origin);
  const action = status === 'success' ? 'success' : 'failure';
  return { action, run: forgejoRun(run, state, origin), prior_status: 'running' };
}
