/** What Forgejo says of the state of a run or job: one word. */
export interface ForgejoRun {
  status: string;
}

/** Forgejo's words for what has not ended, as GitHub says them. */
const OPEN: ReadonlyMap<string, string> = new Map([
  ['waiting', 'queued'],
  ['blocked', 'waiting'],
  ['running', 'in_progress'],
]);
const ENDED: ReadonlySet<string> = new Set(['success', 'failure', 'cancelled', 'skipped']);

/** The state in GitHub's two words. One that is not known counts as open: a run is never ended by a guess. */
export function runOfForgejo({ status }: ForgejoRun): { status: string; conclusion: string | null } {
  if (ENDED.has(status)) return { status: 'completed', conclusion: status };
  return { status: OPEN.get(status) ?? status, conclusion: null };
}

/** The values of the inputs in the payload of an event, in one line: there the token of a run stands. */
export function inputsOfPayload(payload: string): string {
  try {
    const { inputs } = JSON.parse(payload) as { inputs?: Record<string, unknown> | null };
    return Object.values(inputs ?? {}).join(' ');
  } catch {
    return '';
  }
}
