import { createHash } from 'node:crypto';
import type { RecordedEvent } from '../../contracts/builds/event.ts';
import { type ChainFault, type ChainHead, canonicalJson, GENESIS, linkFault } from './hash.ts';

/** The last event of every stream. */
export class StreamHeads {
  readonly #heads = new Map<string, ChainHead>();

  get size(): number {
    return this.#heads.size;
  }

  of(stream: string): ChainHead {
    return this.#heads.get(stream) ?? GENESIS;
  }

  add({ stream, seq, hash }: Pick<RecordedEvent, 'stream' | 'seq' | 'hash'>): void {
    this.#heads.set(stream, { seq, hash });
  }

  /**
   * Returns the SHA-256 over the canonical JSON of all `[stream, seq, hash]`, sorted by stream (UTF-16 code units). Kept elsewhere,
   * it shows later that no stream of the log lost its end, and that no stream is gone.
   */
  digest(): string {
    const digest = createHash('sha256').update('[');
    for (const [index, stream] of [...this.#heads.keys()].sort().entries()) {
      const { seq, hash } = this.of(stream);
      digest.update(`${index === 0 ? '' : ','}${canonicalJson([stream, seq, hash])}`, 'utf8');
    }
    return digest.update(']').digest('hex');
  }
}

/** Recomputes the chains of a log whose streams come interleaved. Keeps only the head of each stream. */
export class LogAudit {
  readonly heads = new StreamHeads();
  events = 0;

  /**
   * Returns the fault of the next event, if it has one. After a fault, the chain goes on from the event that was found, so that each
   * fault is named once.
   */
  add(event: RecordedEvent): ChainFault | undefined {
    this.events += 1;
    const head = this.heads.of(event.stream);
    const fault = linkFault(head, event);
    if (event.seq > head.seq) this.heads.add(event);
    return fault;
  }
}
