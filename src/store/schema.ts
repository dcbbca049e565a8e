import {
  bigint,
  boolean,
  customType,
  date,
  integer,
  jsonb,
  pgSequence,
  pgTable,
  primaryKey,
  smallint,
  text,
} from 'drizzle-orm/pg-core';
import type { BuildStatus } from '../contracts/builds/build.ts';
import type { BuildConfiguration } from '../contracts/builds/configuration.ts';
import type { BuildRequest } from '../contracts/builds/event.ts';
import type { Owed } from '../contracts/celery/celery.ts';
import type { DeadMessage } from '../contracts/celery/dead-message.ts';
import type { ContentType } from '../contracts/content/content.ts';
import type { AnnouncedRun } from '../contracts/github/github.ts';
import type { TaskStatus } from '../contracts/tasks/task.ts';
import type { TaskError } from '../contracts/tasks/task-event.ts';
import type { QuotaBucket } from '../domain/content/youtube-quota.ts';
import type { Task } from '../domain/tasks/task.ts';

/** A timestamptz(3), read as ISO 8601 in UTC with milliseconds, so that what was hashed is what is read. */
const instant = customType<{ data: string; driverData: string }>({
  dataType: () => 'timestamptz(3)',
  fromDriver: (value) => new Date(value).toISOString(),
});

export const events = pgTable('events', {
  position: bigint({ mode: 'number' }).generatedAlwaysAsIdentity().primaryKey(),
  stream: text().notNull(),
  seq: integer().notNull(),
  type: text().notNull(),
  from_status: text(),
  to_status: text(),
  data: jsonb().$type<Record<string, unknown>>().notNull(),
  occurred_at: instant().notNull(),
  recorded_at: instant().notNull(),
  dedupe_key: text().notNull(),
  previous_hash: text().notNull(),
  hash: text().notNull(),
});

export const builds = pgTable('builds', {
  id: bigint({ mode: 'number' }).primaryKey(),
  status: text().$type<BuildStatus>().notNull(),
  workflow_id: text().notNull(),
  request_key: text().notNull(),
  fingerprint: text().notNull(),
  keyed: boolean().notNull(),
  dedup_until: instant().notNull(),
  caller: text().notNull(),
  config_id: integer().notNull(),
  config_version: integer().notNull(),
  image_type: text(),
  fedora_version: text(),
  priority: smallint().notNull(),
  request: jsonb().$type<BuildRequest>().notNull(),
  repository: text().notNull(),
  ref: text().notNull(),
  concurrency: text().$type<'queue' | 'cancel_previous'>(),
  lane: text(),
  queued_at: instant().notNull(),
  attempts: integer().notNull(),
  needs_attention: boolean().notNull(),
  dead_lettered: boolean().notNull(),
  reason: text(),
  retries: integer().notNull(),
  workflow_run_id: bigint({ mode: 'number' }),
  run_url: text(),
  run_attempt: integer(),
  run_status: text(),
  conclusion: text(),
  created_at: instant().notNull(),
  started_at: instant(),
  completed_at: instant(),
  last_seq: integer().notNull(),
  last_hash: text().notNull(),
});

export const tasks = pgTable('tasks', {
  id: text().primaryKey(),
  status: text().$type<TaskStatus>().notNull(),
  workflow_id: text().notNull(),
  fingerprint: text().notNull(),
  caller: text().notNull(),
  door: text().$type<Task['door']>().notNull(),
  name: text().notNull(),
  queue: text().notNull(),
  args: jsonb().$type<unknown[]>().notNull(),
  kwargs: jsonb().$type<Record<string, unknown>>().notNull(),
  priority: smallint(),
  eta: instant(),
  expires: instant(),
  soft_limit_ms: integer(),
  hard_limit_ms: integer(),
  callback_origin: text(),
  root_id: text(),
  parent_id: text(),
  attempts: integer().notNull(),
  retries: integer().notNull(),
  redrives: integer().notNull(),
  worker: text(),
  result: jsonb().$type<unknown>(),
  error: jsonb().$type<TaskError>(),
  dead_lettered: boolean().notNull(),
  reason: text(),
  created_at: instant().notNull(),
  received_at: instant(),
  started_at: instant(),
  retried_at: instant(),
  completed_at: instant(),
  last_seq: integer().notNull(),
  last_hash: text().notNull(),
});

export const deliveries = pgTable('deliveries', {
  id: text().primaryKey(),
  received_at: instant().notNull(),
  settled: boolean().notNull(),
  run: jsonb().$type<AnnouncedRun>(),
  tries: integer().notNull(),
  claimed_until: instant(),
  due_at: instant(),
});

export const repositorySweeps = pgTable('repository_sweeps', {
  repository: text().primaryKey(),
  swept_at: instant().notNull(),
});

export const quotaDays = pgTable(
  'quota_days',
  {
    bucket: text().$type<QuotaBucket>().notNull(),
    day: date({ mode: 'string' }).notNull(),
    units_used: integer().notNull(),
  },
  (table) => [primaryKey({ columns: [table.bucket, table.day] })],
);

export const quotaCalls = pgTable('quota_calls', {
  key: text().primaryKey(),
  bucket: text().$type<QuotaBucket>().notNull(),
  first_day: date({ mode: 'string' }).notNull(),
  last_day: date({ mode: 'string' }).notNull(),
  units: integer().notNull(),
  holder: text().notNull(),
  reserved_at: instant().notNull(),
  settled_at: instant(),
  answer: jsonb().$type<unknown>(),
});

export const callbackTargets = pgTable(
  'callback_targets',
  {
    stream: text().notNull(),
    target: text().notNull(),
    url: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.stream, table.target] })],
);

export const contents = pgTable('contents', {
  id: text().primaryKey(),
  type: text().$type<ContentType>().notNull(),
  url: text().notNull(),
  title: text().notNull(),
  author: text(),
  language: text(),
  published_at: instant(),
  tags: jsonb().$type<string[]>().notNull(),
  version: integer().notNull(),
  text_sha256: text().notNull(),
  blob_key: text().notNull(),
  characters: integer().notNull(),
  created_at: instant().notNull(),
  updated_at: instant().notNull(),
});

/** `words` and `words_form`, which SQL alone writes and reads, are left out. */
export const chunks = pgTable('chunks', {
  id: bigint({ mode: 'number' }).generatedAlwaysAsIdentity().primaryKey(),
  content_id: text().notNull(),
  version: integer().notNull(),
  seq: integer().notNull(),
  text: text().notNull(),
});

export const summaries = pgTable(
  'summaries',
  {
    content_id: text().notNull(),
    version: integer().notNull(),
    model: text().notNull(),
    part: integer().notNull(),
    text: text().notNull(),
    created_at: instant().notNull(),
    revision: text(),
  },
  (table) => [primaryKey({ columns: [table.content_id, table.version, table.model, table.part] })],
);

export const buildIds = pgSequence('build_ids');

export const configurations = pgTable(
  'configurations',
  {
    id: integer().notNull(),
    version: integer().notNull(),
    name: text().notNull(),
    definition: jsonb().$type<BuildConfiguration['definition']>().notNull(),
    created_at: instant().notNull(),
    retired: boolean().notNull(),
    changed_by: text().notNull(),
  },
  (table) => [primaryKey({ columns: [table.id, table.version] })],
);

export const owed = pgTable(
  'owed',
  {
    task_id: text().notNull(),
    reply_to: text().notNull(),
    details: jsonb().$type<Omit<Owed, 'reply_to'>>().notNull(),
    kept_at: instant().notNull(),
  },
  (table) => [primaryKey({ columns: [table.task_id, table.reply_to] })],
);

export const unnamedMessages = pgTable('unnamed_messages', {
  fingerprint: text().primaryKey(),
  task_id: text().notNull(),
  taken_at: instant().notNull(),
  settled: boolean().notNull(),
});

export const deadMessages = pgTable('dead_messages', {
  id: text().primaryKey(),
  queue: text().notNull(),
  reason: text().notNull(),
  detail: text().notNull(),
  task_id: text(),
  task: text(),
  publication: text().notNull(),
  body: text().notNull(),
  refusals: integer().notNull(),
  first_refused_at: instant().notNull(),
  created_at: instant().notNull(),
  settled: text().$type<DeadMessage['settled']>(),
  settled_by: text(),
  settled_at: instant(),
});
