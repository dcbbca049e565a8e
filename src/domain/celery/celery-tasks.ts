import type { Signature } from '../../contracts/celery/celery.ts';
import { asCelery } from './celery-signature.ts';

/**
 * Tasks that every `hapax-worker` has besides those of its app. They do what only Celery's own code can do. See
 * `workers/python/src/hapax_worker/canvas.py`.
 */
export const PUBLISH_TASK = 'hapax.publish';
export const FAIL_CHORD_TASK = 'hapax.fail_chord';
export const CALL_ERROR_LINKS_TASK = 'hapax.call_error_links';
export const TASKS_OF_HAPAX_WORKER: ReadonlySet<string> = new Set([
  PUBLISH_TASK,
  FAIL_CHORD_TASK,
  CALL_ERROR_LINKS_TASK,
]);

/** Returns the arguments of the task that publishes a chain, a chord or the like after another task. */
export function publishArguments(
  signature: Signature,
  chain: Signature[],
  { args, parent_id, root_id }: { args: unknown[]; parent_id: string; root_id: string },
): Record<string, unknown> {
  return { signature: asCelery(signature), args, chain: chain.map(asCelery), parent_id, root_id };
}
