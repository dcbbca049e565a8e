import v8 from 'node:v8';
import { Script } from 'node:vm';
import { collectGarbageOfStart } from '../laptop/garbage-of-start.ts';

const { runInContext } = Script.prototype;

/** Drops the time limit: for each call with one, Node starts and ends a system thread (0.2 ms of CPU, 0.4 ms in all). */
Script.prototype.runInContext = function (context, { timeout: _, ...options } = {}) {
  return runInContext.call(this, context, options);
};

/**
 * Stops the SDK from taking a stack trace of every promise for the "Call Stack" of the Web UI: that is a third of a
 * workflow's cost here.
 */
v8.promiseHooks.createHook = () => () => {};

collectGarbageOfStart();
