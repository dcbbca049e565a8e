export { answer } from './answer.ts';
export { build } from './build.ts';
export { callback } from './callback.ts';
export { redeliver } from './redeliver.ts';
export { task } from './task.ts';
