/** How many ids a process holds in advance: triggers are accepted while the database is away for as long as they last. */
const BLOCK = 100;

/** Hands out ids of builds from a block that was taken from the database in advance. */
export class BuildIds {
  readonly #reserve: (count: number) => Promise<number[]>;
  #held: number[] = [];
  #refilling: Promise<void> | undefined;

  constructor(reserve: (count: number) => Promise<number[]>) {
    this.#reserve = reserve;
  }

  /** How many ids can be had without the database. */
  get held(): number {
    return this.#held.length;
  }

  /** An id that nobody else gets. @throws what `reserve` throws, where none is held. */
  async take(): Promise<number> {
    if (this.#held.length === 0) await this.refill();
    else if (this.#held.length < BLOCK / 2) this.refill().catch(() => {});
    return this.#held.shift() ?? this.take();
  }

  /** Returns an id that was certainly not used. */
  giveBack(id: number): void {
    this.#held.unshift(id);
  }

  /** Takes another block; at most one at a time. */
  refill(): Promise<void> {
    this.#refilling ??= this.#reserve(BLOCK)
      .then((ids) => {
        this.#held.push(...ids);
      })
      .finally(() => {
        this.#refilling = undefined;
      });
    return this.#refilling;
  }
}
