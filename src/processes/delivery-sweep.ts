import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import type { Settings } from '../contracts/settings.ts';
import type { GitHub } from '../integrations/github/github.ts';
import { listRepositories } from '../store/builds/configuration-list-repositories.ts';
import type { Db } from '../store/database.ts';
import { claimDeliverySweep } from '../store/github/delivery-sweep-claim.ts';
import { advanceRepositorySweep, findRepositorySweep } from '../store/github/repository-sweep.ts';

export interface DeliverySweepOptions {
  db: Db;
  github: GitHub;
  log: Logger;
  /** Told of each repository whose deliveries were looked at. */
  onSwept: (outcome: 'done' | 'not_allowed' | 'failed', redelivered: number) => void;
  everyMs?: number;
}

const EVERY_MS = 300_000;
/** Longest wait for the look under way when the process stops. */
const PATIENCE_MS = 1_000;

/** Starts the sweep where webhooks are configured. */
export function sweepDeliveries({ GITHUB_WEBHOOK_SECRET: secrets }: Settings, options: DeliverySweepOptions) {
  return secrets?.length ? startDeliverySweep(options) : undefined;
}

/**
 * Asks GitHub now and then to send again what did not arrive while nobody was there to take it. Webhooks only wake builds, and
 * polls find what they told, so this is for speed and for runs that are run again in GitHub. Of all processes one sweeps; the
 * database says which. Where the credential has no right to it, the log says so once.
 */
export function startDeliverySweep({ db, github, log, onSwept, everyMs = EVERY_MS }: DeliverySweepOptions) {
  const stopping = new AbortController();
  const { signal } = stopping;
  const told = new Set<string>();
  const sweep = async () => {
    const claimed = await claimDeliverySweep(db, everyMs);
    if (claimed === undefined) return;
    for (const repository of await listRepositories(db)) {
      const since = await findRepositorySweep(db, repository);
      const outcome = await github.redeliverMissed(repository, since, signal).catch((err: unknown) => {
        if (!signal.aborted)
          log.warn(
            { err, repository, since },
            'looking for missed webhooks failed; the next search starts at the same point',
          );
        return undefined;
      });
      if (signal.aborted) return;
      // Only what was looked at is passed over by the next look.
      if (typeof outcome === 'number') await advanceRepositorySweep(db, repository, claimed);
      if (outcome === undefined) onSwept('failed', 0);
      else if (outcome === 'not_allowed') {
        onSwept('not_allowed', 0);
        if (told.has(repository)) continue;
        told.add(repository);
        log.info(
          { repository },
          'this credential may not list webhooks (admin:repo_hook); polling finds what missed webhooks announced',
        );
      } else {
        onSwept('done', outcome);
        if (outcome > 0)
          log.info({ repository, redelivered: outcome }, 'GitHub was asked to send missed webhooks again');
      }
    }
  };
  const running = (async () => {
    while (!signal.aborted) {
      await sweep().catch((err: unknown) =>
        log.debug({ err }, 'looking for missed webhooks failed; trying again later'),
      );
      await delay(everyMs / 2, undefined, { signal }).catch(() => {});
    }
  })();
  return {
    async stop() {
      stopping.abort();
      // Requests to GitHub are aborted; a database that does not answer is not waited for.
      await Promise.race([running, delay(PATIENCE_MS, undefined, { ref: false })]);
    },
  };
}
