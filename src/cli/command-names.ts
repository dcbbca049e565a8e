import type { Command } from 'commander';

/** Loads the file of a command, when the command is used. */
type Load = () => Promise<{ define(command: Command): void }>;

export interface NamedCommand {
  group: string;
  summary: string;
  load: Load;
}

/** Loads the commands of processes that only settings control. */
export const loadProcesses: Load = () => import('./roles.ts');

const BUILDS = 'Builds:';
const OPERATE = 'Act on builds and dead letters:';
const TASKS = 'Tasks and content:';
const SETUP = 'Set up:';
const RUN = 'Run Hapax:';
const RECORD = 'Keep the record:';

/** The commands in the order in which help shows them. */
export const COMMANDS: Record<string, NamedCommand> = {
  trigger: { group: BUILDS, summary: 'trigger a build', load: () => import('./commands/trigger.ts') },
  watch: { group: BUILDS, summary: 'watch a build until it ends', load: () => import('./commands/watch.ts') },
  list: { group: BUILDS, summary: 'list builds', load: () => import('./commands/list.ts') },
  show: { group: BUILDS, summary: 'show a build and what happened to it', load: () => import('./commands/show.ts') },
  logs: {
    group: BUILDS,
    summary: 'print the events of a build, and why its run failed',
    load: () => import('./commands/logs.ts'),
  },
  open: { group: BUILDS, summary: 'open the page of a build in the browser', load: () => import('./commands/open.ts') },
  verify: {
    group: BUILDS,
    summary: 'prove that the events of a build were not changed',
    load: () => import('./commands/verify.ts'),
  },
  shadow: {
    group: BUILDS,
    summary: 'compare with the runs that another program started',
    load: () => import('./commands/shadow.ts'),
  },
  cancel: { group: OPERATE, summary: 'cancel a build', load: () => import('./commands/cancel.ts') },
  retry: { group: OPERATE, summary: 'retry a failed build', load: () => import('./commands/retry.ts') },
  adopt: { group: OPERATE, summary: 'say which run belongs to a build', load: () => import('./commands/adopt.ts') },
  dlq: {
    group: OPERATE,
    summary: 'dead letters: what failed for good, or waits for a person',
    load: () => import('./commands/dlq.ts'),
  },
  schedules: {
    group: BUILDS,
    summary: 'builds and tasks at set times',
    load: () => import('./commands/schedules.ts'),
  },
  tasks: { group: TASKS, summary: 'send, watch, revoke and retry tasks', load: () => import('./commands/tasks.ts') },
  queues: {
    group: TASKS,
    summary: 'what waits, what runs, and how many workers there are',
    load: () => import('./commands/queues.ts'),
  },
  search: { group: TASKS, summary: 'search content', load: () => import('./commands/search.ts') },
  quota: { group: TASKS, summary: 'the YouTube quota that is left', load: () => import('./commands/quota.ts') },
  keys: {
    group: SETUP,
    summary: 'create, list and revoke keys of the API',
    load: () => import('./commands/keys.ts'),
  },
  erase: {
    group: SETUP,
    summary: 'erase data for good, such as all of one person',
    load: () => import('./commands/erase.ts'),
  },
  init: {
    group: SETUP,
    summary: 'ask for the settings, check them, and write .env',
    load: () => import('./commands/init.ts'),
  },
  doctor: {
    group: SETUP,
    summary: 'say what is wrong with an installation',
    load: () => import('./commands/doctor.ts'),
  },
  profile: {
    group: SETUP,
    summary: 'keep addresses of servers and their keys',
    load: () => import('./commands/profile.ts'),
  },
  up: {
    group: RUN,
    summary: 'everything on this machine: database, Temporal, API and worker',
    load: loadProcesses,
  },
  demo: { group: RUN, summary: 'one build against a simulated GitHub', load: loadProcesses },
  migrate: {
    group: RUN,
    summary: "update the schema of the database and Temporal's search attributes",
    load: loadProcesses,
  },
  replay: {
    group: RUN,
    summary: 'check that this version can continue the open workflows',
    load: () => import('./roles/replay.ts'),
  },
  backup: {
    group: RECORD,
    summary: 'make a backup of the record, or check one',
    load: () => import('./roles/backup.ts'),
  },
  restore: { group: RECORD, summary: 'put a backup into an empty database', load: () => import('./roles/restore.ts') },
  content: {
    group: RECORD,
    summary: 'copy content to another store, and verify it',
    load: () => import('./roles/content.ts'),
  },
  audit: { group: RECORD, summary: 'export the record, or verify it', load: () => import('./roles/audit.ts') },
  reconcile: {
    group: RECORD,
    summary: 'compare the record with Temporal and repair differences',
    load: () => import('./roles/reconcile.ts'),
  },
  rebuild: { group: RECORD, summary: 'compute the stored state again from the events', load: loadProcesses },
};

/** The commands of `hapax serve`, each a process of its own. They also work without `serve`, as in earlier versions. */
export const SERVED: Record<string, Omit<NamedCommand, 'group'>> = {
  api: { summary: 'the HTTP API (needs DATABASE_URL and TEMPORAL_ADDRESS)', load: loadProcesses },
  worker: { summary: 'runs builds and tasks (needs DATABASE_URL and TEMPORAL_ADDRESS)', load: loadProcesses },
  bridge: { summary: 'takes tasks from RabbitMQ and replies (also needs AMQP_URL)', load: loadProcesses },
  'simulate-github': { summary: 'a simulated GitHub', load: () => import('./roles/simulate-github.ts') },
};
