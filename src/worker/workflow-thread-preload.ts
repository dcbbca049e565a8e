import v8 from 'node:v8';
import { Script } from 'node:vm';
import { collectGarbageOfStart } from '../laptop/garbage-of-start.ts';

const { runInContext } = Script.prototype;

/** Without the time limit: Node starts and ends a thread of the system for each call that has one (0.2 ms of CPU, 0.4 ms in all). */
Script.prototype.runInContext = function (context, { timeout: _, ...options } = {}) {
  return runInContext.call(this, context, options);
};

/** The SDK takes a stack trace of every promise, for the "Call Stack" of the Web UI: a third of what a workflow costs here. */
v8.promiseHooks.createHook = () => () => {};

collectGarbageOfStart();
