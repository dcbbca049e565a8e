/*
 * Keys of events that more than one program records: a workflow, and the request that dispatches a build directly. The record keeps
 * only the first event with a key. So both programs must use the same keys, and no key may change.
 */

export const STARTED = 'started';
export const TRIGGERED = 'triggered';
export const COMPLETED = 'completed';

/** Returns the prefix of the keys of all events of a dispatch. @param attempt counts from 1. */
export function dispatchStep(attempt: number): `dispatch:${number}` {
  return `dispatch:${attempt}`;
}
