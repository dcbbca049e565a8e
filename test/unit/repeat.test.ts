import { expect, it } from 'vitest';
import { repeat } from '../../src/commands/lifecycle/repeat.ts';

const AN_HOUR = 3_600_000;

it('repeats its work until it is stopped', async () => {
  let times = 0;
  const thrice = Promise.withResolvers<void>();
  const repeating = repeat(async () => {
    times += 1;
    if (times === 3) thrice.resolve();
    return times < 3 ? 0 : AN_HOUR;
  });
  await thrice.promise;
  await repeating.stop();
  expect(times).toBe(3);
});

it('ends a pause when it is woken', async () => {
  const twice = Promise.withResolvers<void>();
  let times = 0;
  const repeating = repeat(async () => {
    times += 1;
    if (times === 2) twice.resolve();
    else setImmediate(() => repeating.wake());
    return AN_HOUR;
  });
  await twice.promise;
  await repeating.stop();
});

it('aborts the present work when it is stopped, waits for its end, and does no other', async () => {
  const seen: string[] = [];
  const repeating = repeat(async (signal) => {
    seen.push('begun');
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    seen.push('ended');
    return 0;
  });
  await repeating.stop();
  expect(seen).toEqual(['begun', 'ended']);
});

it('does no work if it is stopped in the pause before the first time', async () => {
  let times = 0;
  await repeat(async () => ++times, AN_HOUR).stop();
  expect(times).toBe(0);
});
