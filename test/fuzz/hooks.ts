import { registerHooks } from 'node:module';

/** The files of src/store that stand for a database. Their doubles hold its rules in memory. */
const IN_MEMORY = new RegExp(
  `/src/store/[a-z]+/(${[
    'build-find',
    'build-id-advance',
    'build-id-reserve',
    'build-list-ahead',
    'build-list-places',
    'build-queue-once',
    'callback-list-untold',
    'callback-target-find',
    'callback-target-list',
    'callback-target-save',
    'configuration-find',
    'delivery-claim',
    'delivery-release',
    'delivery-settle',
    'dispatch-answer-find',
    'ending-list',
    'event-append',
    'installation-adopt',
    'installation-find',
    'pending-reply-list-ended',
    'reconciliation-claim',
    'reconciliation-save',
    'schedule-find',
    'schedule-list',
    'sent-request-claim',
    'shadow-build-list',
    'shadow-run-list',
    'shadow-run-list-by-build',
    'shadow-run-take',
    'stream-find',
    'subscription-list',
  ].join('|')})\\.ts$`,
);

/**
 * From here on the product's own files find a record in memory and virtual timers where they ask for Postgres and for
 * real ones; not one of them is changed. Workflow code needs no hook: it runs in Temporal's sandbox, as in a worker.
 */
export function installHooks(): void {
  registerHooks({
    resolve(specifier, context, next) {
      const ofProduct = context.parentURL?.includes('/src/') && !context.parentURL.includes('/node_modules/');
      if (!ofProduct) return next(specifier, context);
      if (specifier === 'node:timers/promises') return double('virtual-timers.ts');
      const resolved = next(specifier, context);
      return IN_MEMORY.test(resolved.url) ? double('memory-store.ts') : resolved;
    },
  });
}

function double(file: string) {
  return { url: new URL(file, import.meta.url).href, format: 'module-typescript', shortCircuit: true };
}
