import { LIMITS } from '../../contracts/budgets.ts';

/** Request keys of the triggers that this process took last. For an equal trigger the record has the build already, most likely. */
export class RecentKeys {
  readonly #keys = new Set<string>();

  has(key: string): boolean {
    return this.#keys.has(key);
  }

  add(key: string): void {
    this.#keys.delete(key);
    this.#keys.add(key);
    if (this.#keys.size > LIMITS.memory.requestKeys) this.#keys.delete(this.#keys.keys().next().value!);
  }
}
