import type { PythonOutcome, PythonRunRequest } from '../../contracts/tasks/python-workflow.ts';

/** What workflows ask of the workers in Python of a queue. */
export interface PythonTaskPort {
  /**
   * Does the work of a task once. It fails only where another worker has to do it: this one is lost, stops, or may not begin it now.
   */
  runTask(request: PythonRunRequest): Promise<PythonOutcome>;
}
