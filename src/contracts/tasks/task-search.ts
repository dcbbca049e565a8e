/** The condition of a search for tasks. */
export type TaskSearch =
  | { kind: 'all' | 'any'; of: TaskSearch[] }
  | { kind: 'state'; is: string }
  | { kind: 'kwarg'; name: string; is: string }
  | { kind: 'text'; in: 'name' | 'worker' | 'args' | 'kwargs' | 'result' | 'anything'; text: string };
