import type { PythonOutcome, PythonRunRequest } from '../../contracts/tasks/python-workflow.ts';

/** Activities of the Python workers of a queue. */
export interface PythonTaskPort {
  /** Does the work of a task once. It fails only if another worker has to do it: this one is lost, stops, or may not start it now. */
  runTask(request: PythonRunRequest): Promise<PythonOutcome>;
}
