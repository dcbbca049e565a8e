import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { RecordedEvent } from '../../src/contracts/builds/event.ts';
import { chainFault, eventHash, GENESIS_HASH } from '../../src/domain/record/hash.ts';

function chain(data: Array<Record<string, unknown>>): RecordedEvent[] {
  const events: RecordedEvent[] = [];
  for (const [index, content] of data.entries()) {
    const event = {
      position: index + 10,
      stream: 'build:1',
      seq: index + 1,
      type: 'run_updated',
      from_status: null,
      to_status: null,
      data: content,
      occurred_at: '2026-11-21T10:00:00.000Z',
      recorded_at: '2026-11-21T10:00:00.001Z',
      dedupe_key: `k${index}`,
      previous_hash: events.at(-1)?.hash ?? GENESIS_HASH,
    };
    events.push({ ...event, hash: eventHash(event) });
  }
  return events;
}

describe('the hash chain of a stream', () => {
  it('is SHA-256 over canonical JSON, checked by another road', () => {
    const [event] = chain([{ b: 1, a: 'ü' }]);
    const text =
      '{"data":{"a":"ü","b":1},"dedupe_key":"k0","from_status":null,"occurred_at":"2026-11-21T10:00:00.000Z",' +
      `"previous_hash":"${'0'.repeat(64)}","recorded_at":"2026-11-21T10:00:00.001Z","seq":1,"stream":"build:1","to_status":null,"type":"run_updated"}`;
    expect(event?.hash).toBe(createHash('sha256').update(text).digest('hex'));
  });

  it('is sound as it was written', () => {
    fc.assert(
      fc.property(fc.array(fc.dictionary(fc.string(), fc.jsonValue())), (data) => {
        expect(chainFault(chain(data))).toBeUndefined();
      }),
    );
  });

  it('names the first event that was changed', () => {
    const fields = ['type', 'dedupe_key', 'occurred_at', 'recorded_at', 'stream', 'hash', 'previous_hash'] as const;
    fc.assert(
      fc.property(fc.integer({ min: 2, max: 20 }), fc.nat(), fc.constantFrom(...fields), (length, at, field) => {
        const events = chain(Array.from({ length }, (_, n) => ({ n })));
        const index = at % length;
        events[index] = { ...events[index]!, [field]: 'f'.repeat(64) };
        expect(chainFault(events)?.seq).toBe(index + 1);
      }),
    );
  });

  it('names where an event was removed or two were exchanged', () => {
    const events = chain([{ n: 0 }, { n: 1 }, { n: 2 }, { n: 3 }]);
    expect(chainFault(events.toSpliced(1, 1))).toEqual({ seq: 2, fault: 'event 2 is missing' });
    expect(chainFault([events[0]!, events[2]!, events[1]!, events[3]!])?.seq).toBe(2);
    // Renumbered after a removal, the chain itself gives it away.
    const renumbered = events.toSpliced(1, 1).map((event, index) => ({ ...event, seq: index + 1 }));
    // Its number is covered by its hash; with that recomputed, the hash of the one before it.
    expect(chainFault(renumbered)).toEqual({ seq: 2, fault: 'was changed after it was recorded' });
    renumbered[1] = { ...renumbered[1]!, hash: eventHash(renumbered[1]!) };
    expect(chainFault(renumbered)).toMatchObject({
      seq: 2,
      fault: expect.stringContaining('does not continue event 1'),
    });
  });
});
