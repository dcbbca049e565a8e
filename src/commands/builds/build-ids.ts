/** How many ids are held in advance. While the database is away, triggers are accepted until they run out. */
const FEWEST = 20;
const MOST = 1_000;
/** A block that is used up sooner than this is followed by a larger one. */
const BUSY_MS = 1_000;

/** Hands out ids of builds from a block that was taken from the database in advance. */
export class BuildIds {
  readonly #reserve: (count: number) => Promise<number[]>;
  #held: number[] = [];
  #block = FEWEST;
  #refilledAt = Number.NEGATIVE_INFINITY;
  #refilling: Promise<void> | undefined;

  constructor(reserve: (count: number) => Promise<number[]>) {
    this.#reserve = reserve;
  }

  /** Whether a block has ever been taken. */
  get provided(): boolean {
    return this.#refilledAt !== Number.NEGATIVE_INFINITY;
  }

  /** How many ids can be had without the database. */
  get held(): number {
    return this.#held.length;
  }

  /** Takes a block where none is held. @throws what `reserve` throws. */
  async provide(): Promise<void> {
    if (this.#held.length === 0) await this.#next();
  }

  /** An id that nobody else gets. @throws what `reserve` throws, where none is held. */
  async take(): Promise<number> {
    while (this.#held.length === 0) await this.#next();
    if (this.#held.length <= this.#block / 2) this.#next().catch(() => {});
    return this.#held.shift()!;
  }

  /** Returns an id that was certainly not used. */
  giveBack(id: number): void {
    this.#held.unshift(id);
  }

  /** Takes another block; at most one at a time. Ids of a block that the process ends with become gaps. */
  #next(): Promise<void> {
    this.#refilling ??= this.#refill().finally(() => {
      this.#refilling = undefined;
    });
    return this.#refilling;
  }

  async #refill(): Promise<void> {
    const busy = performance.now() - this.#refilledAt < BUSY_MS;
    this.#block = busy ? Math.min(2 * this.#block, MOST) : FEWEST;
    this.#held.push(...(await this.#reserve(this.#block)));
    this.#refilledAt = performance.now();
  }
}
