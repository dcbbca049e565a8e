import { verifyWithFallback } from '@octokit/webhooks-methods';
import { z } from 'zod';

/** What a delivery about a run says, as far as it matters: webhooks only wake, reading GitHub decides. */
export interface RunDelivery {
  run_id: number;
  title: string;
}

const workflowRun = z.object({ workflow_run: z.object({ id: z.int(), display_title: z.string() }) });

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
export function runOfDelivery(event: string | undefined, body: string): RunDelivery | undefined {
  if (event !== 'workflow_run') return undefined;
  const read = workflowRun.safeParse(JSON.parse(body));
  return read.success ? { run_id: read.data.workflow_run.id, title: read.data.workflow_run.display_title } : undefined;
}
