import { verifyWithFallback } from '@octokit/webhooks-methods';
import { z } from 'zod';
import type { AnnouncedRun } from '../../../contracts/github/github.ts';
import { inputsOfPayload } from '../../../domain/forges/forgejo-run.ts';

const githubRun = z.object({
  workflow_run: z.object({
    id: z.int(),
    run_attempt: z.int().default(1),
    display_title: z.string(),
    status: z.string().nullish(),
  }),
});
/** Forgejo's delivery. It reports only the end of a run. */
const forgejoRun = z.object({
  run: z.object({ id: z.int(), title: z.string(), event_payload: z.string().default('') }),
});

/** Forgejo's events about a run. */
const FORGEJO_EVENTS: ReadonlySet<string> = new Set(['action_run_success', 'action_run_failure', 'action_run_recover']);

/** Says whether a body was signed with one of the secrets (`X-Hub-Signature-256`, HMAC-SHA256 of the raw body). */
export async function isSigned(
  body: string,
  signature: string | undefined,
  secrets: readonly string[],
): Promise<boolean> {
  const [first, ...others] = secrets;
  if (first === undefined || !signature?.startsWith('sha256=')) return false;
  return verifyWithFallback(first, body, signature, others);
}

/**
 * Returns the run that a delivery is about; undefined if it is about something else. @param credential of the forge that sent it;
 * undefined: GitHub, with the credential of the settings.
 */
export function runOfDelivery(event: string | undefined, body: string, credential?: string): AnnouncedRun | undefined {
  const announced = event === 'workflow_run' ? githubAnnounces(body) : forgejoAnnounces(event, body);
  return announced && { ...announced, ...(credential === undefined ? {} : { credential }) };
}

function githubAnnounces(body: string): AnnouncedRun | undefined {
  const read = githubRun.safeParse(JSON.parse(body));
  if (!read.success) return undefined;
  const { id, run_attempt, display_title, status } = read.data.workflow_run;
  // Gitea writes 0 for every attempt. A run that ended is at the known attempt; one that continues may be at another.
  const attempt = run_attempt === 0 && status !== 'completed' ? {} : { run_attempt };
  return { run_id: id, ...attempt, title: display_title };
}

function forgejoAnnounces(event: string | undefined, body: string): AnnouncedRun | undefined {
  if (event === undefined || !FORGEJO_EVENTS.has(event)) return undefined;
  const read = forgejoRun.safeParse(JSON.parse(body));
  if (!read.success) return undefined;
  const { id, title, event_payload } = read.data.run;
  return { run_id: id, run_attempt: 0, title: `${title} ${inputsOfPayload(event_payload)}` };
}
