import type { RetryMode } from '../../contracts/builds/operator.ts';
import { capabilitiesOf } from '../forges/capabilities.ts';
import type { Build } from './build.ts';

/** Returns the modes in which a failed build can be retried, the usual one first. A build of another program has none. */
export function retryModes({ workflow_run_id, request }: Pick<Build, 'workflow_run_id' | 'request'>): RetryMode[] {
  if (request.shadow) return [];
  if (workflow_run_id === null) return ['redispatch'];
  const { reruns, reruns_failed_jobs } = capabilitiesOf(request.forge);
  return [
    ...(reruns ? (['rerun'] as const) : []),
    ...(reruns_failed_jobs ? (['rerun_failed'] as const) : []),
    'redispatch',
  ];
}
