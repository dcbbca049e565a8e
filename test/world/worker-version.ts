import type { WorkflowService } from '@temporalio/client';
import { eventually } from './eventually.ts';

/** Makes a version of Hapax's workers the current one, once a worker of it polls. */
export function makeVersionCurrent(workflowService: WorkflowService, namespace: string, buildId: string) {
  return eventually(() =>
    workflowService.setWorkerDeploymentCurrentVersion({
      namespace,
      deploymentName: 'hapax',
      buildId,
      identity: 'test',
    }),
  );
}
