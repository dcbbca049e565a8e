export { build } from './build/build.ts';
export { answer } from './ending/answer.ts';
export { callback } from './ending/callback.ts';
export { fire } from './fire.ts';
export { redeliver } from './redeliver.ts';
export { registerTaskTypes } from './register.ts';
export { subscription } from './subscription.ts';
export { checkpoint, sweepArtifacts, sweepDeliveries, sweepExpired } from './sweeps.ts';
export { task, taskRun } from './task/task.ts';
