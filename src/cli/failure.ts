import type { Problem } from '../contracts/problem.ts';

/** Exit statuses of commands. They are stable, because scripts branch on them. */
export const EXIT = {
  success: 0,
  /** The build or task failed or was cancelled, a chain is not valid, or `doctor` found a fault. */
  failed: 1,
  /** The command is wrong, or Hapax refuses the request. */
  usage: 2,
  needsPerson: 3,
  notAllowed: 4,
  unreachable: 5,
  /** A bug in this program. */
  internal: 70,
  /** `--timeout` passed. The same status as timeout(1) uses. */
  timedOut: 124,
  /** Ctrl-C. The same status as a shell reports. */
  interrupted: 130,
} as const;
export type Exit = (typeof EXIT)[keyof typeof EXIT];

/** A fault as `--json` prints it. Problems from the API keep their code, status and request id. */
export interface Fault {
  code: string;
  title: string;
  /** What to do. */
  detail?: string | undefined;
  status?: number;
  request_id?: string;
  errors?: Problem['errors'];
}

/** Ends a command. `message` is one line: what is wrong, and what to do. */
export class Failure extends Error {
  override readonly name = 'Failure';
  readonly exit: Exit;
  readonly fault: Fault;
  constructor(exit: Exit, fault: Fault) {
    super([fault.title, fault.detail].filter(Boolean).join(': ').replaceAll(/\s+/g, ' '));
    this.exit = exit;
    this.fault = fault;
  }
}

/** Returns a failure that the user can only correct in the command itself. */
export function misuse(title: string, detail?: string): Failure {
  return new Failure(EXIT.usage, { code: 'usage', title, detail });
}
