import type { InstallationMemo } from '../../contracts/builds/build-workflow.ts';
import type { Health } from '../../contracts/health.ts';
import type { Db } from '../../store/database.ts';
import { findInstallation, type Installation } from '../../store/installation/installation-find.ts';

/** What this process knows about its installation. */
export class KnownInstallation {
  readonly #db: Db;
  #known: Installation | undefined;

  constructor(db: Db) {
    this.#db = db;
  }

  /** Reads the installation again. @throws if the database is away. */
  async refresh(): Promise<Installation> {
    this.#known = await findInstallation(this.#db);
    return this.#known;
  }

  /** The installation as last read; undefined before that. */
  get known(): Installation | undefined {
    return this.#known;
  }

  /** The result of the last comparison with Temporal; null before the first. */
  get reconciled(): Health['reconciliation'] {
    const { reconciled_at: checked_at = null, differences = 0, unresolved = 0 } = this.#known ?? {};
    return checked_at === null ? null : { checked_at, differences, unresolved };
  }

  /** The memo of a workflow, which says which installation started it. */
  get memo(): InstallationMemo {
    return this.#known ? { installation: this.#known.id, ...this.epoch } : {};
  }

  /** The epoch, for the input of a workflow. */
  get epoch(): { epoch?: number } {
    return this.#known ? { epoch: this.#known.epoch } : {};
  }
}
