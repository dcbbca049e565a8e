import { LIMITS } from '../../contracts/budgets.ts';
import type { Made } from '../../contracts/schedules/schedule.ts';
import { requestKey } from '../../domain/builds/request-key.ts';
import { nameUuid } from '../../domain/name-uuid.ts';
import { matchesPattern } from '../../domain/schedules/name-pattern.ts';
import type { Schedule } from '../../domain/schedules/schedule.ts';
import { anyBuildWasRequested } from '../../store/builds/build-exists-by-request-key.ts';
import { buildStream } from '../../store/builds/build-stream.ts';
import { listNamedConfigurations } from '../../store/builds/configuration-list-named.ts';
import { findRequestKey } from '../../store/request-key-find.ts';
import { findTask } from '../../store/tasks/task-find.ts';
import { taskStream } from '../../store/tasks/task-stream.ts';
import { type Trigger, type TriggerDependencies, triggerBuild } from '../builds/trigger-build.ts';
import { startUntaken } from '../reconcile/start-untaken.ts';
import { Refusal } from '../refusal.ts';
import { createTask, type TaskDependencies } from '../tasks/create-task.ts';

export type MakeDependencies = TriggerDependencies & TaskDependencies;

/** What one firing made, and what was refused. */
export interface MadeNow {
  made: Array<Made & { replayed?: boolean }>;
  refused: Array<{ config: string; detail: string }>;
}

/** Returns the key of a firing: `schedule:<name>:<time>`. */
export function firingKey(name: string, time: string): string {
  return `schedule:${name}:${time}`;
}

/** How many triggers of a schedule for several configurations run at once. */
const AT_ONCE = 8;

/**
 * Makes the build or task of a schedule, or a build of each configuration that matches, once for each key.
 * @param key of the firing; it gives the same builds and tasks each time.
 * @param leftOut configurations that get no build.
 * @throws {Refusal} if a single build or task is refused, or something is away.
 */
export async function makeScheduled(
  deps: MakeDependencies,
  { id, definition }: Pick<Schedule, 'id' | 'definition'>,
  key: string,
  leftOut: ReadonlySet<string>,
): Promise<MadeNow> {
  const caller = `schedule:${id}`;
  const { build, builds, task } = definition;
  if (build) {
    const { id, replayed } = await trigger(deps, { body: build, caller, idempotencyKey: key });
    return { made: [{ made: buildStream(id), ...(replayed ? { replayed } : {}) }], refused: [] };
  }
  if (task) {
    const { expires_seconds, ...given } = task;
    const { id, replayed } = await createTask(deps, {
      ...given,
      expires: expires_seconds === undefined ? undefined : new Date(Date.now() + expires_seconds * 1_000),
      caller,
      source: 'schedule',
      idempotency: { route: 'POST /tasks', key },
    });
    return { made: [{ made: taskStream(id), ...(replayed ? { replayed } : {}) }], refused: [] };
  }
  return makeBuilds(deps, caller, builds!, key, leftOut);
}

/**
 * Triggers a build. A worker cannot ask for a comparison soon, as the API does after a direct dispatch without a workflow. So the next try
 * of the firing starts the workflow.
 * @throws {Refusal} also if Temporal did not accept the start of a direct dispatch.
 */
async function trigger(deps: MakeDependencies, asked: Trigger): ReturnType<typeof triggerBuild> {
  if (deps.reconcileSoon) return triggerBuild(deps, asked);
  let isStarted = true;
  const reconcileSoon = () => {
    isStarted = false;
  };
  const build = await triggerBuild({ ...deps, reconcileSoon }, asked);
  if (!isStarted) throw new Refusal('temporal_unavailable', { detail: `build ${build.id} has no workflow yet` });
  if (build.replayed) await startUntaken(deps, build.id);
  return build;
}

/**
 * Says whether a firing has already made something, according to the record: it began, and the rest was lost. Such a firing
 * is completed, however late.
 */
export async function wasBegun(
  { db }: Pick<MakeDependencies, 'db'>,
  { id, definition }: Schedule,
  key: string,
): Promise<boolean> {
  const caller = `schedule:${id}`;
  if (definition.task) {
    const hashed = requestKey('', { caller, route: 'POST /tasks', key });
    return (await findRequestKey(db, hashed)) !== undefined || (await findTask(db, nameUuid(hashed))) !== undefined;
  }
  const keys = definition.build ? [key] : (await listNamedConfigurations(db)).map((one) => `${key}:${one.id}`);
  const route = 'POST /builds/trigger';
  return anyBuildWasRequested(
    db,
    keys.map((one) => requestKey('', { caller, route, key: one })),
  );
}

async function makeBuilds(
  deps: MakeDependencies,
  caller: string,
  { configs, ...fields }: NonNullable<Schedule['definition']['builds']>,
  key: string,
  leftOut: ReadonlySet<string>,
): Promise<MadeNow> {
  const named = await listNamedConfigurations(deps.db);
  const matching = named.filter(({ name }) => matchesPattern(configs, name));
  const most = LIMITS.schedules.configurations;
  const now: MadeNow = { made: [], refused: [] };
  for (const { name } of matching.slice(most)) {
    now.refused.push({ config: name, detail: `more than ${most} configurations match` });
  }
  const wanted = matching.slice(0, most).filter(({ name }) => !leftOut.has(name));
  const make = async ({ id: config_id, name: config }: (typeof wanted)[number]) => {
    try {
      const body = { ...fields, config_id };
      const { id, replayed } = await trigger(deps, { body, caller, idempotencyKey: `${key}:${config_id}` });
      now.made.push({ made: buildStream(id), config, ...(replayed ? { replayed } : {}) });
    } catch (error) {
      if (!(error instanceof Refusal) || error.kind !== 'request') throw error;
      now.refused.push({ config, detail: error.message });
    }
  };
  for (let first = 0; first < wanted.length; first += AT_ONCE) {
    await Promise.all(wanted.slice(first, first + AT_ONCE).map(make));
  }
  const byName = (one: { config?: string | undefined }, other: { config?: string | undefined }) =>
    (one.config ?? '') < (other.config ?? '') ? -1 : 1;
  return { made: now.made.sort(byName), refused: now.refused.sort(byName) };
}
