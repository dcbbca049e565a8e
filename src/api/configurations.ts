import type { BuildConfiguration } from '../contracts/configuration.ts';
import { findConfiguration } from '../store/configuration-find.ts';
import { saveConfiguration } from '../store/configuration-save.ts';
import type { Db } from '../store/database.ts';

/** Build configurations; number 1 is the environment's, and is held so that triggers outlive an outage of the database. */
export class Configurations {
  readonly #db: Db;
  readonly #environment: BuildConfiguration['definition'];
  #first: BuildConfiguration | undefined;

  constructor(db: Db, environment: BuildConfiguration['definition']) {
    this.#db = db;
    this.#environment = environment;
  }

  async get(id: number): Promise<BuildConfiguration | undefined> {
    if (id !== 1) return findConfiguration(this.#db, id);
    this.#first ??= await saveConfiguration(this.#db, { id: 1, name: 'default', definition: this.#environment });
    return this.#first;
  }
}
