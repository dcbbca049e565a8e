import { KEPT_MS } from '../artifacts.ts';
import { forgeTime, headShaOf, numberOf } from '../resources.ts';
import type { Moment, Run } from '../run.ts';

/**
 * The objects of Gitea 1.26 (modules/structs/repo_actions.go and services/convert/convert.go in its sources), with the fields that a client
 * of runs reads.
 */

/** Gitea's value for a time that has not come yet: the start of its clock. */
export const NEVER = '1970-01-01T00:00:00Z';

/** Gitea's conclusions. It has no others. */
const CONCLUSIONS: ReadonlySet<string> = new Set(['success', 'failure', 'cancelled', 'skipped']);

export function giteaConclusion(conclusion: string | null): string {
  return conclusion !== null && CONCLUSIONS.has(conclusion) ? conclusion : 'failure';
}

export function giteaUser(login: string, origin: string) {
  return {
    id: numberOf(login),
    login,
    login_name: '',
    source_id: 0,
    full_name: '',
    email: `${login}@noreply.localhost`,
    avatar_url: `${origin}/avatars/${login}`,
    html_url: `${origin}/${login}`,
    username: login,
  };
}

export function giteaRepository(fullName: string, origin: string) {
  const [owner = '', name = ''] = fullName.split('/');
  return {
    id: numberOf(fullName),
    owner: giteaUser(owner, origin),
    name,
    full_name: fullName,
    private: false,
    url: `${origin}/api/v1/repos/${fullName}`,
    html_url: `${origin}/${fullName}`,
    default_branch: 'main',
    permissions: { admin: false, push: true, pull: true },
  };
}

/** Returns the response of GET /repos/{owner}/{repo}/actions/workflows/{workflow_id}. */
export function giteaWorkflow(repository: string, file: string, state: string, origin: string) {
  return {
    id: file,
    name: file.replace(/\.ya?ml$/, ''),
    path: `.gitea/workflows/${file}`,
    state,
    created_at: '2026-01-01T00:00:00Z',
    updated_at: '2026-01-01T00:00:00Z',
    url: `${origin}/api/v1/repos/${repository}/actions/workflows/${file}`,
    html_url: `${origin}/${repository}/src/branch/main/.gitea/workflows/${file}`,
    badge_url: `${origin}/${repository}/actions/workflows/${file}/badge.svg?branch=main`,
    deleted_at: '0001-01-01T00:00:00Z',
  };
}

/** Returns the URLs of a run for the API and for a browser. */
export function giteaRunUrls(repository: string, id: number, origin: string) {
  return {
    run_url: `${origin}/api/v1/repos/${repository}/actions/runs/${id}`,
    html_url: `${origin}/${repository}/actions/runs/${id}`,
  };
}

/** Returns the response of GET /repos/{owner}/{repo}/actions/runs/{run}, without the run's creation time, attempt and inputs. */
export function giteaRun(run: Run, state: Moment, origin: string) {
  const { run_url: url, html_url } = giteaRunUrls(run.repository, run.id, origin);
  const waits = state.status === 'queued';
  const ended = state.status === 'completed';
  return {
    id: run.id,
    url,
    html_url,
    display_title: run.displayTitle,
    path: `${run.workflow}@refs/heads/${run.ref}`,
    event: run.event,
    run_attempt: 0,
    run_number: run.runNumber,
    head_sha: headShaOf(run),
    head_branch: run.ref,
    status: state.status,
    actor: giteaUser(run.actor, origin),
    trigger_actor: giteaUser(run.actor, origin),
    repository: giteaRepository(run.repository, origin),
    ...(ended ? { conclusion: giteaConclusion(state.conclusion) } : {}),
    started_at: waits ? NEVER : forgeTime(state.attemptStartedAt),
    completed_at: ended ? forgeTime(state.at) : NEVER,
  };
}

function giteaStep({ status, conclusion, attemptStartedAt, at }: Moment, ended: boolean) {
  return {
    name: 'Build the image',
    number: 0,
    status,
    ...(ended ? { conclusion: giteaConclusion(conclusion) } : {}),
    started_at: forgeTime(attemptStartedAt),
    completed_at: ended ? forgeTime(at) : NEVER,
  };
}

/** Returns an element of the response of GET /repos/{owner}/{repo}/actions/runs/{run}/jobs. */
export function giteaJob(run: Run, state: Moment, origin: string) {
  const id = run.id * 10 + 1;
  const { run_url, html_url } = giteaRunUrls(run.repository, run.id, origin);
  const waits = state.status === 'queued';
  const ended = state.status === 'completed';
  const conclusion = giteaConclusion(state.conclusion);
  return {
    id,
    url: `${run_url.replace(/runs\/\d+$/, '')}jobs/${id}`,
    html_url: `${html_url}/jobs/${id}`,
    run_id: run.id,
    run_url,
    name: 'build',
    labels: ['ubuntu-latest'],
    // Gitea counts an attempt when a runner takes the job.
    run_attempt: waits ? state.attempt - 1 : state.attempt,
    head_sha: headShaOf(run),
    head_branch: run.ref,
    status: state.status,
    ...(ended ? { conclusion } : {}),
    ...(waits ? {} : { runner_id: 1, runner_name: 'simulated' }),
    steps: waits ? null : [giteaStep(state, ended)],
    created_at: forgeTime(run.createdAt),
    started_at: waits ? NEVER : forgeTime(state.attemptStartedAt),
    completed_at: ended ? forgeTime(state.at) : NEVER,
  };
}

/** Returns the body of Gitea's `workflow_run` webhook. */
export function giteaRunEvent(run: Run, state: Moment, action: string, origin: string) {
  return {
    action,
    workflow: giteaWorkflow(run.repository, run.workflow, 'active', origin),
    workflow_run: giteaRun(run, state, origin),
    repository: giteaRepository(run.repository, origin),
    sender: giteaUser(run.actor, origin),
  };
}

/** Returns an element of the response of GET /repos/{owner}/{repo}/actions/runs/{run}/artifacts, without a digest. */
export function giteaArtifact(
  run: Run,
  state: Moment,
  artifact: { name: string; size_in_bytes: number; expired: boolean },
  id: number,
  origin: string,
) {
  const url = `${origin}/api/v1/repos/${run.repository}/actions/artifacts/${id}`;
  return {
    id,
    name: artifact.name,
    size_in_bytes: artifact.size_in_bytes,
    url,
    archive_download_url: `${url}/zip`,
    expired: artifact.expired,
    workflow_run: { id: run.id, repository_id: 1, head_sha: headShaOf(run) },
    created_at: forgeTime(state.at),
    updated_at: forgeTime(state.at),
    expires_at: forgeTime(state.at + KEPT_MS),
  };
}
