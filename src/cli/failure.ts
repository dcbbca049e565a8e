import type { Problem } from '../contracts/problem.ts';

/** How a command ends. These are stable: scripts branch on them. */
export const EXIT = {
  success: 0,
  /** The build or task failed or was cancelled, a chain is not valid, or `doctor` found a fault. */
  failed: 1,
  /** The command is wrong, or Hapax refuses what it asks. */
  usage: 2,
  needsPerson: 3,
  notAllowed: 4,
  unreachable: 5,
  /** A fault of this program. */
  internal: 70,
  /** `--timeout` passed; as of timeout(1). */
  timedOut: 124,
} as const;
export type Exit = (typeof EXIT)[keyof typeof EXIT];

/** What went wrong, as `--json` prints it. Problems of the API keep their own code, status and request id. */
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

/** What the user can only correct in the command itself. */
export function misuse(title: string, detail?: string): Failure {
  return new Failure(EXIT.usage, { code: 'usage', title, detail });
}
