import { createHash } from 'node:crypto';
import type { Moment, Run } from './run.ts';

/**
 * GitHub's objects. The tests check their shapes against GitHub's OpenAPI description. The values are invented but stable: the same name
 * always gives the same id.
 */

/** Writes milliseconds since the epoch as forges write times: in whole seconds. */
export function forgeTime(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

/** Returns the commit of a ref. */
export function headShaOf({ repository, ref }: Pick<Run, 'repository' | 'ref'>): string {
  return createHash('sha1').update(`${repository.toLowerCase()}@${ref}`).digest('hex');
}

/** Returns the number that GitHub would have given to a thing with this name. */
export function numberOf(name: string): number {
  return Number.parseInt(createHash('sha1').update(name.toLowerCase()).digest('hex').slice(0, 7), 16) + 1;
}

function nodeId(kind: string, id: number | string): string {
  return `${kind}_${Buffer.from(String(id)).toString('base64url')}`;
}

/** Returns the object of a user. */
export function userAnswer(login: string, origin: string) {
  const url = `${origin}/users/${login}`;
  return {
    login,
    id: numberOf(login),
    node_id: nodeId('U', login),
    avatar_url: `${origin}/avatars/${login}`,
    gravatar_id: '',
    url,
    html_url: `${origin}/${login}`,
    followers_url: `${url}/followers`,
    following_url: `${url}/following{/other_user}`,
    gists_url: `${url}/gists{/gist_id}`,
    starred_url: `${url}/starred{/owner}{/repo}`,
    subscriptions_url: `${url}/subscriptions`,
    organizations_url: `${url}/orgs`,
    repos_url: `${url}/repos`,
    events_url: `${url}/events{/privacy}`,
    received_events_url: `${url}/received_events`,
    type: 'User',
    site_admin: false,
  };
}

/** Returns the part of a repository that other objects contain. */
function minimalRepositoryAnswer(fullName: string, origin: string) {
  const [owner = '', name = ''] = fullName.split('/');
  const url = `${origin}/repos/${fullName}`;
  const paths = {
    archive_url: '/{archive_format}{/ref}',
    assignees_url: '/assignees{/user}',
    blobs_url: '/git/blobs{/sha}',
    branches_url: '/branches{/branch}',
    collaborators_url: '/collaborators{/collaborator}',
    comments_url: '/comments{/number}',
    commits_url: '/commits{/sha}',
    compare_url: '/compare/{base}...{head}',
    contents_url: '/contents/{+path}',
    contributors_url: '/contributors',
    deployments_url: '/deployments',
    downloads_url: '/downloads',
    events_url: '/events',
    forks_url: '/forks',
    git_commits_url: '/git/commits{/sha}',
    git_refs_url: '/git/refs{/sha}',
    git_tags_url: '/git/tags{/sha}',
    hooks_url: '/hooks',
    issue_comment_url: '/issues/comments{/number}',
    issue_events_url: '/issues/events{/number}',
    issues_url: '/issues{/number}',
    keys_url: '/keys{/key_id}',
    labels_url: '/labels{/name}',
    languages_url: '/languages',
    merges_url: '/merges',
    milestones_url: '/milestones{/number}',
    notifications_url: '/notifications{?since,all,participating}',
    pulls_url: '/pulls{/number}',
    releases_url: '/releases{/id}',
    stargazers_url: '/stargazers',
    statuses_url: '/statuses/{sha}',
    subscribers_url: '/subscribers',
    subscription_url: '/subscription',
    tags_url: '/tags',
    teams_url: '/teams',
    trees_url: '/git/trees{/sha}',
  };
  return {
    id: numberOf(fullName),
    node_id: nodeId('R', fullName),
    name,
    full_name: fullName,
    private: false,
    owner: userAnswer(owner, origin),
    html_url: `${origin}/${fullName}`,
    description: 'A repository of the simulated GitHub',
    fork: false,
    url,
    ...(Object.fromEntries(Object.entries(paths).map(([key, path]) => [key, url + path])) as Record<
      keyof typeof paths,
      string
    >),
  };
}

/** Returns the response of GET /repos/{owner}/{repo}. */
export function repositoryAnswer(fullName: string, origin: string) {
  return {
    ...minimalRepositoryAnswer(fullName, origin),
    git_url: `git:${origin.replace(/^https?:/, '')}/${fullName}.git`,
    ssh_url: `ssh://git@localhost/${fullName}.git`,
    clone_url: `${origin}/${fullName}.git`,
    svn_url: `${origin}/${fullName}`,
    mirror_url: null,
    homepage: null,
    language: null,
    license: null,
    default_branch: 'main',
    visibility: 'public',
    archived: false,
    disabled: false,
    has_issues: true,
    has_projects: false,
    has_downloads: false,
    has_wiki: false,
    has_pages: false,
    has_discussions: false,
    allow_forking: true,
    is_template: false,
    web_commit_signoff_required: false,
    topics: [],
    size: 1,
    forks: 0,
    forks_count: 0,
    stargazers_count: 0,
    watchers: 0,
    watchers_count: 0,
    open_issues: 0,
    open_issues_count: 0,
    network_count: 0,
    subscribers_count: 0,
    created_at: '2026-01-01T00:00:00Z',
    updated_at: '2026-01-01T00:00:00Z',
    pushed_at: '2026-01-01T00:00:00Z',
    permissions: { admin: false, maintain: false, push: true, triage: true, pull: true },
  };
}

/** Returns the number of a workflow. */
export function workflowIdOf(repository: string, file: string): number {
  return numberOf(`${repository}/${file}`);
}

/** Returns the response of GET /repos/{owner}/{repo}/actions/workflows/{file}. */
export function workflowAnswer(repository: string, file: string, state: string, origin: string) {
  const id = workflowIdOf(repository, file);
  return {
    id,
    node_id: nodeId('W', id),
    name: file.replace(/\.ya?ml$/, ''),
    path: `.github/workflows/${file}`,
    state,
    created_at: '2026-01-01T00:00:00.000Z',
    updated_at: '2026-01-01T00:00:00.000Z',
    url: `${origin}/repos/${repository}/actions/workflows/${id}`,
    html_url: `${origin}/${repository}/blob/main/.github/workflows/${file}`,
    badge_url: `${origin}/${repository}/workflows/${file}/badge.svg`,
  };
}

/** Returns the URLs of a run for the API and for a browser. */
export function runUrls(repository: string, id: number, origin: string) {
  return {
    run_url: `${origin}/repos/${repository}/actions/runs/${id}`,
    html_url: `${origin}/${repository}/actions/runs/${id}`,
  };
}

/**
 * Returns the response of GET /repos/{owner}/{repo}/actions/runs/{id}, which never contains inputs.
 * @param clockOffMs see the setting `clock_off_ms`
 */
export function runAnswer(run: Run, state: Moment, origin: string, clockOffMs = 0) {
  const { run_url: url, html_url } = runUrls(run.repository, run.id, origin);
  const repository = minimalRepositoryAnswer(run.repository, origin);
  const sha = headShaOf(run);
  const person = { name: run.actor, email: `${run.actor}@localhost.invalid` };
  return {
    id: run.id,
    name: run.workflow.replace(/\.ya?ml$/, ''),
    node_id: nodeId('WFR', run.id),
    head_branch: run.ref,
    head_sha: sha,
    path: `.github/workflows/${run.workflow}`,
    display_title: run.displayTitle,
    run_number: run.runNumber,
    event: run.event,
    status: state.status,
    conclusion: state.conclusion,
    workflow_id: workflowIdOf(run.repository, run.workflow),
    check_suite_id: run.id,
    check_suite_node_id: nodeId('CS', run.id),
    url,
    html_url,
    pull_requests: [],
    created_at: forgeTime(run.createdAt + clockOffMs),
    updated_at: forgeTime(state.at + clockOffMs),
    actor: userAnswer(run.actor, origin),
    run_attempt: state.attempt,
    referenced_workflows: [],
    run_started_at: forgeTime(state.attemptStartedAt + clockOffMs),
    triggering_actor: userAnswer(run.actor, origin),
    jobs_url: `${url}/jobs`,
    logs_url: `${url}/logs`,
    check_suite_url: `${repository.url}/check-suites/${run.id}`,
    artifacts_url: `${url}/artifacts`,
    cancel_url: `${url}/cancel`,
    rerun_url: `${url}/rerun`,
    previous_attempt_url: state.attempt > 1 ? `${url}/attempts/${state.attempt - 1}` : null,
    workflow_url: `${repository.url}/actions/workflows/${workflowIdOf(run.repository, run.workflow)}`,
    head_commit: {
      id: sha,
      tree_id: sha,
      message: `The head of ${run.ref}`,
      timestamp: forgeTime(run.createdAt),
      author: person,
      committer: person,
    },
    repository,
    head_repository: repository,
  };
}

/** Returns the body of a `workflow_run` webhook. */
export function workflowRunEvent(run: Run, state: Moment, action: string, origin: string) {
  return {
    action,
    workflow_run: runAnswer(run, state, origin),
    workflow: workflowAnswer(run.repository, run.workflow, 'active', origin),
    repository: repositoryAnswer(run.repository, origin),
    sender: userAnswer(run.actor, origin),
  };
}

/** The budget of requests, as GitHub reports it. */
export interface RateLimit {
  limit: number;
  used: number;
  remaining: number;
  /** Seconds since the epoch. */
  reset: number;
}

/** Returns the response of GET /rate_limit. */
export function rateLimitAnswer(core: RateLimit) {
  const other = { limit: 30, used: 0, remaining: 30, reset: core.reset };
  return { resources: { core, search: other }, rate: core };
}

/** Returns the response of GET /. */
export function rootAnswer(origin: string) {
  const paths = {
    current_user_url: '/user',
    current_user_authorizations_html_url: '/settings/connections/applications{/client_id}',
    authorizations_url: '/authorizations',
    code_search_url: '/search/code?q={query}{&page,per_page,sort,order}',
    commit_search_url: '/search/commits?q={query}{&page,per_page,sort,order}',
    emails_url: '/user/emails',
    emojis_url: '/emojis',
    events_url: '/events',
    feeds_url: '/feeds',
    followers_url: '/user/followers',
    following_url: '/user/following{/target}',
    gists_url: '/gists{/gist_id}',
    issue_search_url: '/search/issues?q={query}{&page,per_page,sort,order}',
    issues_url: '/issues',
    keys_url: '/user/keys',
    label_search_url: '/search/labels?q={query}&repository_id={repository_id}{&page,per_page}',
    notifications_url: '/notifications',
    organization_url: '/orgs/{org}',
    organization_repositories_url: '/orgs/{org}/repos{?type,page,per_page,sort}',
    organization_teams_url: '/orgs/{org}/teams',
    public_gists_url: '/gists/public',
    rate_limit_url: '/rate_limit',
    repository_url: '/repos/{owner}/{repo}',
    repository_search_url: '/search/repositories?q={query}{&page,per_page,sort,order}',
    starred_url: '/user/starred{/owner}{/repo}',
    starred_gists_url: '/gists/starred',
    user_url: '/users/{user}',
    user_organizations_url: '/user/orgs',
    user_repositories_url: '/users/{user}/repos{?type,page,per_page,sort}',
    current_user_repositories_url: '/user/repos{?type,page,per_page,sort}',
    user_search_url: '/search/users?q={query}{&page,per_page,sort,order}',
  };
  return Object.fromEntries(Object.entries(paths).map(([key, path]) => [key, origin + path]));
}
