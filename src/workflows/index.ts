export { answer } from './answer.ts';
export { build } from './build.ts';
export { callback } from './callback.ts';
export { task } from './task.ts';
