import type { InstallationMemo } from '../../contracts/builds/build-workflow.ts';
import type { Health } from '../../contracts/health.ts';
import type { Db } from '../../store/database.ts';
import { findInstallation, type Installation } from '../../store/installation/installation-find.ts';

/** What this process knows of the installation that it belongs to. */
export class KnownInstallation {
  readonly #db: Db;
  #known: Installation | undefined;

  constructor(db: Db) {
    this.#db = db;
  }

  /** Reads it again. @throws where the database is away. */
  async refresh(): Promise<Installation> {
    this.#known = await findInstallation(this.#db);
    return this.#known;
  }

  /** As it was read last; undefined before that. */
  get known(): Installation | undefined {
    return this.#known;
  }

  /** What the last comparison with Temporal found; null before the first. */
  get reconciled(): Health['reconciliation'] {
    const { reconciled_at: checked_at = null, differences = 0, unresolved = 0 } = this.#known ?? {};
    return checked_at === null ? null : { checked_at, differences, unresolved };
  }

  /** What a workflow carries to say which installation started it. */
  get memo(): InstallationMemo {
    return this.#known ? { installation: this.#known.id, ...this.epoch } : {};
  }

  /** What the input of a workflow says of it. */
  get epoch(): { epoch?: number } {
    return this.#known ? { epoch: this.#known.epoch } : {};
  }
}
