import type { EventView } from '../contracts/builds/event.ts';
import type { TaskView } from '../contracts/tasks/task.ts';
import type { Api } from './client/api.ts';
import { follow } from './client/follow.ts';
import { EXIT, type Exit, Failure } from './failure.ts';
import { toneOf } from './output/build-words.ts';
import { linesOf, note, paint, print, printJson } from './output/screen.ts';
import { logLine } from './output/timeline.ts';

const PATIENCE_MS = 10 * 60_000;

/** Prints what happens to a task until it ends, and then its result. With `json`, it prints only the task at its end. */
export async function waitForTask(
  api: Api,
  id: string,
  { json, timeoutMs }: { json: boolean; timeoutMs?: number | undefined },
): Promise<Exit> {
  const path = `/tasks/${encodeURIComponent(id)}`;
  const stop = new AbortController();
  const timer = timeoutMs === undefined ? undefined : setTimeout(() => stop.abort(), timeoutMs);
  let away = false;
  const onAway = (reason: Failure | undefined) => {
    if (reason && !away) note(`hapax: ${reason.fault.title}; waiting`);
    away = reason !== undefined;
  };
  try {
    for await (const event of follow(api, `${path}/events`, {
      afterSeq: 0,
      signal: stop.signal,
      patienceMs: PATIENCE_MS,
      onAway,
    })) {
      if (!json) print(logLine('task', event satisfies EventView));
    }
  } finally {
    clearTimeout(timer);
  }
  if (stop.signal.aborted) {
    throw new Failure(EXIT.timedOut, {
      code: 'timed_out',
      title: `Task ${id} has not ended yet`,
      detail: `wait for it again with: hapax tasks wait ${id}`,
    });
  }
  const task = await api.json<TaskView>(path);
  if (json) printJson(task);
  else print(`task ${id}: ${paint(task.status, toneOf(task.status))}`, ...resultLines(task));
  return task.status === 'SUCCESS' ? EXIT.success : EXIT.failed;
}

/** Returns the result of a task, or why it has none. */
export function resultLines({ status, result, error, reason }: TaskView): string[] {
  if (status === 'SUCCESS') return JSON.stringify(result, null, 2).split('\n');
  const failed = error ? [`${error.type}: ${error.message}`, error.traceback ?? []].flat() : [];
  return [...(reason ? [`reason: ${reason}`] : []), ...failed].flatMap(linesOf);
}
