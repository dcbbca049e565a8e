import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { addressBlock } from '../../src/domain/keys/address-block.ts';
import { matchesRepository, reachesQueue, reachesRepository } from '../../src/domain/keys/grant.ts';
import { ALPHABET, formOfKey, newKeyText } from '../../src/domain/keys/key-text.ts';
import { type Bucket, takeToken } from '../../src/domain/keys/token-bucket.ts';

const key = fc.infiniteStream(fc.nat()).map((numbers) => newKeyText((below) => numbers.next().value % below));

describe('the text of a key', () => {
  it('has one form, which secret scanners find', () => {
    fc.assert(
      fc.property(key, (text) => {
        expect(text).toMatch(/^hpx_[0-9A-Za-z]{49}$/);
        expect(formOfKey(text)).toBe('whole');
      }),
      { numRuns: 50 },
    );
  });

  it('tells a mistyped or cut off key from one, without a look at the database', () => {
    const place = fc.integer({ min: 4, max: 52 });
    const other = fc.constantFrom(...ALPHABET);
    fc.assert(
      fc.property(key, place, other, (text, at, character) => {
        const typed = text.slice(0, at) + character + text.slice(at + 1);
        expect(formOfKey(typed)).toBe(typed === text ? 'whole' : 'damaged');
        expect(formOfKey(text.slice(0, at))).toBe('damaged');
        const swapped = text.slice(0, at - 1) + (text[at] ?? '') + text[at - 1] + text.slice(at + 1);
        if (at > 4 && swapped !== text) expect(formOfKey(swapped)).toBe('damaged');
      }),
    );
    expect(formOfKey('0123456789abcdef')).toBe('other');
  });
});

describe('what a restricted key reaches', () => {
  it('is what it names, in any case, and of an owner all', () => {
    expect(matchesRepository(['octo/images'], 'Octo/Images')).toBe(true);
    expect(matchesRepository(['octo/images'], 'octo/images-2')).toBe(false);
    expect(matchesRepository(['octo/*'], 'octo/any')).toBe(true);
    expect(matchesRepository(['octo/*'], 'octopus/any')).toBe(false);
    expect(matchesRepository([], 'octo/any')).toBe(false);
  });

  it('is nothing of the other kind', () => {
    const builds = { repositories: ['octo/images'], queues: null };
    const tasks = { repositories: null, queues: ['youtube'] };
    expect([reachesRepository(builds, 'octo/images'), reachesQueue(builds, 'youtube')]).toEqual([true, false]);
    expect([reachesRepository(tasks, 'octo/images'), reachesQueue(tasks, 'youtube')]).toEqual([false, true]);
    expect(reachesQueue({ repositories: null, queues: null }, 'youtube')).toBe(true);
  });
});

describe('a token bucket', () => {
  it('gives no more than its quota at once, and no more than twice that in a window, however it is asked', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 50 }),
        fc.array(fc.nat({ max: 2_000 }), { maxLength: 300 }),
        (quota, gaps) => {
          const rate = { quota, windowMs: 60_000 };
          let bucket: Bucket | undefined;
          let now = 0;
          const given: number[] = [];
          for (const gap of gaps) {
            now += gap;
            const taken = takeToken(rate, bucket, now);
            bucket = taken.bucket;
            if (taken.allowed) given.push(now);
            else {
              expect(taken.nextSeconds).toBeGreaterThan(0);
              expect(takeToken(rate, bucket, now + taken.nextSeconds * 1_000).allowed).toBe(true);
            }
            expect(taken.remaining).toBeLessThan(quota);
          }
          for (const at of given) {
            expect(given.filter((one) => one === at).length).toBeLessThanOrEqual(quota);
            expect(given.filter((one) => one >= at && one < at + 60_000).length).toBeLessThanOrEqual(2 * quota);
          }
        },
      ),
    );
  });
});

describe('the addresses of one sender', () => {
  it('are one of IPv4, also where it is written as IPv6, and 64 bits of IPv6', () => {
    expect(addressBlock('192.0.2.7')).toBe('192.0.2.7');
    expect(addressBlock('::ffff:192.0.2.7')).toBe('192.0.2.7');
    expect(addressBlock('2001:db8:1:2:aaaa::1')).toBe(addressBlock('2001:db8:1:2::ffff'));
    expect(addressBlock('2001:db8:1:3::1')).not.toBe(addressBlock('2001:db8:1:2::1'));
    expect(addressBlock('unknown')).toBe('unknown');
  });
});
