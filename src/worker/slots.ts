import type { ActivitySlotInfo, CustomSlotSupplier, SlotPermit, SlotReserveContext } from '@temporalio/worker';

/**
 * How many tasks of a queue a worker runs at the same time. This can change while it runs. A closed queue is not polled; running
 * tasks keep their slots.
 */
export class Slots implements CustomSlotSupplier<ActivitySlotInfo> {
  readonly type = 'custom';
  size: number;
  isOpen: boolean;
  /** Whether the queue is paused for all workers, independently of this one's own state. */
  isPaused: boolean = false;
  #taken = 0;
  readonly #waiting = new Set<() => void>();

  constructor(size: number, isOpen: boolean) {
    this.size = size;
    this.isOpen = isOpen;
  }

  change(part: Partial<Pick<Slots, 'size' | 'isOpen' | 'isPaused'>>): void {
    Object.assign(this, part);
    this.#handOut();
  }

  reserveSlot(_: SlotReserveContext, abort: AbortSignal): Promise<SlotPermit> {
    return new Promise((resolve, reject) => {
      const leave = () => {
        this.#waiting.delete(take);
        // The SDK recognises its own abort by this object.
        reject(abort.reason);
      };
      const take = () => {
        abort.removeEventListener('abort', leave);
        resolve({});
      };
      abort.addEventListener('abort', leave, { once: true });
      this.#waiting.add(take);
      this.#handOut();
    });
  }

  tryReserveSlot(): SlotPermit | null {
    if (!this.#hasRoom) return null;
    this.#taken += 1;
    return {};
  }

  markSlotUsed(): void {}

  releaseSlot(): void {
    this.#taken -= 1;
    this.#handOut();
  }

  get #hasRoom(): boolean {
    return this.isOpen && !this.isPaused && this.#taken < this.size;
  }

  #handOut(): void {
    for (const take of this.#waiting) {
      if (!this.#hasRoom) return;
      this.#waiting.delete(take);
      this.#taken += 1;
      take();
    }
  }
}
