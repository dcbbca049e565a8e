/** The state of a run or job at Forgejo: one word. */
export interface ForgejoRun {
  status: string;
}

/** Forgejo's words for states before the end, with GitHub's words. */
const OPEN: ReadonlyMap<string, string> = new Map([
  ['waiting', 'queued'],
  ['blocked', 'waiting'],
  ['running', 'in_progress'],
]);
const ENDED: ReadonlySet<string> = new Set(['success', 'failure', 'cancelled', 'skipped']);

/** Returns the state in GitHub's two words. An unknown state counts as open: a guess must never end a run. */
export function runOfForgejo({ status }: ForgejoRun): { status: string; conclusion: string | null } {
  if (ENDED.has(status)) return { status: 'completed', conclusion: status };
  return { status: OPEN.get(status) ?? status, conclusion: null };
}

/** Returns the values of the inputs in the payload of an event, in one line. The token of a run is among them. */
export function inputsOfPayload(payload: string): string {
  try {
    const { inputs } = JSON.parse(payload) as { inputs?: Record<string, unknown> | null };
    return Object.values(inputs ?? {}).join(' ');
  } catch {
    return '';
  }
}
