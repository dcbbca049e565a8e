import type { Trigger } from '../commands/builds/trigger-build.ts';
import type { TaskDependencies } from '../commands/tasks/create-task.ts';
import type { ProblemCode } from '../contracts/problem.ts';

/** The counters of the API, and the metrics of the whole process. */
export interface ApiMeter {
  /** Counts a trigger with the response 202. */
  buildAccepted(build: Trigger & { replayed: boolean }): void;
  /** Counts an accepted task. */
  taskAccepted: TaskDependencies['meter']['taskAccepted'];
  triggerRefused(code: ProblemCode): void;
  /** @param request.route the pattern, never the path: a label has only as many values as there are routes. */
  answered(request: { route: string; method: string; status: number }, seconds: number): void;
  /** Returns everything in Prometheus' text format. It never fails: what cannot be read is left out. */
  scrape(): Promise<string>;
  /**
   * Returns Flower's series in the same format.
   * @param online the known workers by name, and whether each is online
   * @throws if the database does not respond: a failed scrape leaves no gap that looks like an end.
   */
  scrapeFlower(online: ReadonlyMap<string, boolean>): Promise<string>;
}
