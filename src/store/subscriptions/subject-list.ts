import type { SubjectFacts } from '../../domain/subscriptions/subscription-filter.ts';
import type { Subject } from '../../domain/subscriptions/subscription-message.ts';
import type { Db } from '../database.ts';

/** Facts about a build or task that never change, for filters and for receivers. */
export interface ToldSubject {
  facts: SubjectFacts;
  subject: Subject;
}

interface BuildRow {
  id: number;
  config_id: number;
  configuration: string | null;
  repository: string;
  workflow: string;
  ref: string;
  image_type: string | null;
  fedora_version: string | null;
}

/** Finds the builds and tasks of these streams, by stream. */
export async function listSubjects(db: Db, streams: readonly string[]): Promise<Map<string, ToldSubject>> {
  const idsOf = (kind: string) =>
    streams.filter((stream) => stream.startsWith(`${kind}:`)).map((stream) => stream.slice(kind.length + 1));
  const [builds, tasks] = [idsOf('build').map(Number), idsOf('task')];
  const found = new Map<string, ToldSubject>();
  if (builds.length > 0) {
    const rows = await db<BuildRow[]>`
      SELECT builds.id, config_id, configurations.name AS configuration, builds.repository, request ->> 'workflow' AS workflow,
        request ->> 'ref' AS ref, image_type, fedora_version
      FROM builds LEFT JOIN configurations ON configurations.id = config_id AND version = config_version
      WHERE builds.id IN ${db(builds)}`;
    for (const { configuration, ...build } of rows) {
      found.set(`build:${build.id}`, { facts: { configuration: configuration ?? undefined }, subject: { build } });
    }
  }
  if (tasks.length > 0) {
    const rows = await db<Array<{ task_id: string; name: string; queue: string }>>`
      SELECT id AS task_id, name, queue FROM tasks WHERE id IN ${db(tasks)}`;
    for (const task of rows) found.set(`task:${task.task_id}`, { facts: { queue: task.queue }, subject: { task } });
  }
  return found;
}
