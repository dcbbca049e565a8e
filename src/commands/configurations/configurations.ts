import {
  type BuildConfiguration,
  type ConfigurationDefinition,
  ENVIRONMENT_CONFIGURATION,
} from '../../contracts/builds/configuration.ts';
import {
  findConfiguration,
  findConfigurationByName,
  findConfigurationVersion,
} from '../../store/builds/configuration-find.ts';
import { saveConfiguration } from '../../store/builds/configuration-save.ts';
import type { Db } from '../../store/database.ts';
import { notFound } from '../refusal.ts';

/**
 * Build configurations by their newest version. Number 1 is the environment's. It stays in memory, so that triggers work
 * while the database is away. All others are read each time, so that a change takes effect at once in every process.
 */
export class Configurations {
  readonly #db: Db;
  readonly #environment: ConfigurationDefinition;
  #first: BuildConfiguration | undefined;

  constructor(db: Db, environment: ConfigurationDefinition) {
    this.#db = db;
    this.#environment = environment;
  }

  async get(id: number): Promise<BuildConfiguration | undefined> {
    return id === ENVIRONMENT_CONFIGURATION.id ? this.environment() : findConfiguration(this.#db, id);
  }

  /** Returns the newest version of a configuration. @throws {Refusal} 404 */
  async existing(id: number): Promise<BuildConfiguration> {
    const found = await this.get(id);
    if (!found) throw notFound(`build configuration ${id}`);
    return found;
  }

  async byName(name: string): Promise<BuildConfiguration | undefined> {
    return name === ENVIRONMENT_CONFIGURATION.name ? this.environment() : findConfigurationByName(this.#db, name);
  }

  async version(id: number, version: number): Promise<BuildConfiguration | undefined> {
    if (this.#first?.id === id && this.#first.version === version) return this.#first;
    return findConfigurationVersion(this.#db, id, version);
  }

  /** Returns configuration 1. The first call saves it. */
  async environment(): Promise<BuildConfiguration> {
    if (this.#first) return this.#first;
    const { id, name } = ENVIRONMENT_CONFIGURATION;
    const change = { name, definition: this.#environment, retired: false, changed_by: 'environment' };
    const saved = await saveConfiguration(this.#db, { id, reserved: true }, change);
    if (saved.kind !== 'saved') throw new Error(`configuration ${id} cannot be saved: ${saved.kind}`);
    this.#first = saved.configuration;
    return this.#first;
  }
}
