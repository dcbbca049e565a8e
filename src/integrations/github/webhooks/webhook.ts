import { verifyWithFallback } from '@octokit/webhooks-methods';
import { z } from 'zod';
import type { AnnouncedRun } from '../../../contracts/github/github.ts';

const workflowRun = z.object({
  workflow_run: z.object({ id: z.int(), run_attempt: z.int().default(1), display_title: z.string() }),
});

/** Whether a body was signed with one of the secrets (`X-Hub-Signature-256`, HMAC-SHA256 of the raw body). */
export async function isSigned(
  body: string,
  signature: string | undefined,
  secrets: readonly string[],
): Promise<boolean> {
  const [first, ...others] = secrets;
  if (first === undefined || !signature?.startsWith('sha256=')) return false;
  return verifyWithFallback(first, body, signature, others);
}

/** The run that a delivery is about; undefined for deliveries about something else. */
export function runOfDelivery(event: string | undefined, body: string): AnnouncedRun | undefined {
  if (event !== 'workflow_run') return undefined;
  const read = workflowRun.safeParse(JSON.parse(body));
  if (!read.success) return undefined;
  const { id, run_attempt, display_title } = read.data.workflow_run;
  return { run_id: id, run_attempt, title: display_title };
}
