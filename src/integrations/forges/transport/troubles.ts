/** How long a refusal is told of where nobody has met it again. */
const REMEMBERED_MS = 600_000;

/** What people have to change, as the last answers of GitHub say. */
export class Troubles {
  readonly #known = new Map<string, { reason: string; at: number }>();

  /** @param about what is refused: a later note about it replaces this one. */
  note(about: string, reason: string): void {
    this.#known.set(about, { reason, at: performance.now() });
  }

  clear(...about: string[]): void {
    for (const one of about) this.#known.delete(one);
  }

  /** One line each. */
  get reasons(): string[] {
    const known = [...this.#known.values()].filter(({ at }) => performance.now() - at < REMEMBERED_MS);
    return [...new Set(known.map(({ reason }) => reason))];
  }
}
