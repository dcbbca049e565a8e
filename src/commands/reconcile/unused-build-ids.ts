import type { Client } from '@temporalio/client';
import type { Logger } from 'pino';
import { advanceBuildIds } from '../../store/builds/build-id-advance.ts';
import { reserveBuildIds } from '../../store/builds/build-id-reserve.ts';
import type { Db } from '../../store/database.ts';
import { highestBuildId } from '../lifecycle/executions.ts';
import type { KnownInstallation } from '../lifecycle/installation.ts';
import { temporalFault } from '../lifecycle/start-workflow.ts';

/** How long Temporal may take to say which ids are in use. */
const CHECK_TIMEOUT_MS = 2_500;

/**
 * Reserves ids of builds that nobody has used, even if the database was set back to an earlier state and would hand out ids
 * a second time. It asks Temporal once, before it reserves the first ids, and again if the database is set back meanwhile.
 */
export class UnusedBuildIds {
  readonly #client: Client;
  readonly #db: Db;
  readonly #installation: KnownInstallation;
  readonly #log: Logger;
  #highest = 0;
  #checking: Promise<void> | undefined;
  #isChecked = false;

  constructor(deps: { client: Client; db: Db; installation: KnownInstallation; log: Logger }) {
    this.#client = deps.client;
    this.#db = deps.db;
    this.#installation = deps.installation;
    this.#log = deps.log;
  }

  /** Makes sure that the database hands out no id that Temporal knows. @throws {Refusal} if Temporal is away. */
  async check(): Promise<void> {
    if (this.#isChecked) return;
    this.#checking ??= this.#check().finally(() => {
      this.#checking = undefined;
    });
    await this.#checking;
  }

  /** @throws {Refusal} if Temporal is away. @throws if the database is away. */
  async reserve(count: number): Promise<number[]> {
    for (;;) {
      await this.check();
      const ids = await reserveBuildIds(this.#db, count);
      if (Math.min(...ids) > this.#highest) {
        this.#highest = Math.max(...ids);
        return ids;
      }
      this.#isChecked = false;
    }
  }

  async #check(): Promise<void> {
    const deadline = Date.now() + CHECK_TIMEOUT_MS;
    const inUse = await this.#client
      .withDeadline(deadline, () => highestBuildId(this.#client))
      .catch((error: unknown) => {
        throw temporalFault(error);
      });
    const highest = Math.max(inUse, this.#highest);
    const epoch = await advanceBuildIds(this.#db, highest);
    await this.#installation.refresh();
    if (epoch !== undefined) {
      this.#log.warn(
        { highest_id: highest, epoch },
        'the database was set back to an earlier state; build ids continue above those in use',
      );
    }
    this.#isChecked = true;
  }
}
