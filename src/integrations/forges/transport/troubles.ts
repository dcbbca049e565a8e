/** How long a refusal is reported if it does not occur again. */
const REMEMBERED_MS = 600_000;

/** Changes that people must make, according to GitHub's last responses. */
export class Troubles {
  readonly #known = new Map<string, { reason: string; at: number }>();

  /** @param about what is refused. A later note about it replaces this one. */
  note(about: string, reason: string): void {
    this.#known.set(about, { reason, at: performance.now() });
  }

  clear(...about: string[]): void {
    for (const one of about) this.#known.delete(one);
  }

  /** Returns one line each. */
  get reasons(): string[] {
    const known = [...this.#known.values()].filter(({ at }) => performance.now() - at < REMEMBERED_MS);
    return [...new Set(known.map(({ reason }) => reason))];
  }
}
