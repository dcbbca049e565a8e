import type { Trigger } from '../commands/builds/trigger-build.ts';
import type { TaskDependencies } from '../commands/tasks/create-task.ts';
import type { ProblemCode } from '../contracts/problem.ts';

/** What the API counts, and what it shows of all that the process counts. */
export interface ApiMeter {
  /** A trigger was answered with 202. */
  buildAccepted(build: Trigger & { replayed: boolean }): void;
  /** A task was accepted. */
  taskAccepted: TaskDependencies['meter']['taskAccepted'];
  triggerRefused(code: ProblemCode): void;
  /** @param request.route the pattern, never the path: a label has as few values as there are routes. */
  answered(request: { route: string; method: string; status: number }, seconds: number): void;
  /** Everything in Prometheus' text format. Never fails: what cannot be read is left out. */
  scrape(): Promise<string>;
  /**
   * The series of Flower, in the same format.
   * @param online the workers that are known, by name, and whether they are there
   * @throws where the database does not answer: a scrape that fails leaves no gap that looks like an end.
   */
  scrapeFlower(online: ReadonlyMap<string, boolean>): Promise<string>;
}
