import { installedClock } from './clock.ts';

/** Stands for `node:timers/promises` within the code under test: see hooks.ts. */
export async function setTimeout<T>(ms: number, value?: T): Promise<T | undefined> {
  await installedClock().sleep(ms);
  return value;
}
