import { Context } from '@temporalio/activity';
import type { Forges } from '../integrations/forges/forges.ts';
import { listRepositories } from '../store/builds/configuration-list-repositories.ts';
import type { Db } from '../store/database.ts';
import { deleteExpired } from '../store/expired-delete.ts';
import { advanceRepositorySweep, findRepositorySweep } from '../store/github/repository-sweep.ts';
import type { SweepPort } from '../workflows/ports/sweeps.ts';
import type { ActivityMeter } from './meter.ts';

/** Erases data that was kept long enough. */
export type Retain = () => Promise<void>;

/** Returns the activities of scheduled sweeps. */
export function sweepActivities(
  db: Db,
  forges: Pick<Forges, 'of'>,
  retain: Retain | undefined,
  meter: ActivityMeter | undefined,
): SweepPort {
  /** Repositories whose webhooks the credential may not list. Each is logged once. */
  const notAllowed = new Set<string>();

  return {
    /**
     * Requests missed webhooks again. Webhooks only wake builds, and polls find the same news, so this is for speed and for
     * runs that are re-run in GitHub. Where one sweep cannot read all that is missed, polls find the rest.
     */
    async redeliverMissedWebhooks() {
      const { cancellationSignal, log } = Context.current();
      const startedAt = new Date().toISOString();
      for (const repository of await listRepositories(db)) {
        cancellationSignal.throwIfAborted();
        const since = await findRepositorySweep(db, repository);
        try {
          const done = await forges.of(undefined).redeliverMissed(repository, since, cancellationSignal);
          if (done !== 'not_allowed') {
            await advanceRepositorySweep(db, repository, startedAt);
            meter?.deliveriesSwept('done', done.redelivered);
            if (!done.complete) {
              log.warn(
                'there are more webhooks than Hapax reads; if older ones were missed, polling finds what they announced',
                { repository, since },
              );
            }
            continue;
          }
          meter?.deliveriesSwept('not_allowed', 0);
          if (notAllowed.has(repository)) continue;
          notAllowed.add(repository);
          log.warn(
            'this credential may not list webhooks (admin:repo_hook); polling finds what missed webhooks announced',
            {
              repository,
            },
          );
        } catch (error) {
          cancellationSignal.throwIfAborted();
          meter?.deliveriesSwept('failed', 0);
          log.warn('looking for missed webhooks failed; the next search starts at the same point', {
            repository,
            since,
            error,
          });
        }
      }
    },

    async deleteExpired() {
      await deleteExpired(db);
      await retain?.();
    },
  };
}
