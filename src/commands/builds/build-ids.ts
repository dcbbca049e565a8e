/** How many ids are held in advance. While the database is away, triggers are accepted until these run out. */
const FEWEST = 20;
const MOST = 1_000;
/** If a block lasts less than this, the next one is larger. */
const BUSY_MS = 1_000;

/** Hands out ids of builds from a block that it takes from the database in advance. */
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

  /** How many ids are available without the database. */
  get held(): number {
    return this.#held.length;
  }

  /** Takes a block if none is held. @throws what `reserve` throws. */
  async provide(): Promise<void> {
    if (this.#held.length === 0) await this.#next();
  }

  /** Returns an id that nobody else gets. @throws what `reserve` throws, if none is held. */
  async take(): Promise<number> {
    while (this.#held.length === 0) await this.#next();
    if (this.#held.length <= this.#block / 2) this.#next().catch(() => {});
    return this.#held.shift()!;
  }

  /** Returns an id that was certainly not used. */
  giveBack(id: number): void {
    this.#held.unshift(id);
  }

  /** Takes another block, one at a time. If the process ends, the unused ids of its block become gaps. */
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
