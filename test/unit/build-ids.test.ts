import { describe, expect, it } from 'vitest';
import { BuildIds } from '../../src/commands/builds/build-ids.ts';

/** A sequence, as the database keeps it. */
function sequence() {
  let last = 0;
  return async (count: number) => Array.from({ length: count }, () => ++last);
}

describe('ids of builds', () => {
  it('are each handed out once and in order, however many ask at once', async () => {
    const ids = new BuildIds(sequence());
    const taken = await Promise.all(Array.from({ length: 5_000 }, () => ids.take()));
    expect(new Set(taken).size).toBe(5_000);
    expect(await ids.take()).toBeGreaterThan(4_999);
  });

  it('begin at 1 and reuse what was given back', async () => {
    const ids = new BuildIds(sequence());
    const first = await ids.take();
    ids.giveBack(first);
    expect([first, await ids.take(), await ids.take()]).toEqual([1, 1, 2]);
  });

  it('outlast the database for a while, then fail with its error, and come back with it', async () => {
    let away = false;
    const reserve = sequence();
    const ids = new BuildIds(async (count) => {
      if (away) throw new Error('away');
      return reserve(count);
    });
    await ids.provide();
    await ids.provide();
    expect(ids.held).toBe(20);
    away = true;
    const held = ids.held;
    for (let n = 0; n < held; n++) await ids.take();
    await expect(ids.take()).rejects.toThrow('away');
    away = false;
    expect(await ids.take()).toBeGreaterThan(held);
  });
});
