import { inject } from 'vitest';
import type { World } from '../world/world.ts';
import { hapax } from './told-builds.ts';

/** `hapax reconcile` on the stores of a world. @param more further settings */
export function reconcileWorld(
  { databaseUrl, namespace }: Pick<World, 'databaseUrl' | 'namespace'>,
  args: string[] = [],
  more: Record<string, string> = {},
) {
  return hapax(['reconcile', ...args], {
    DATABASE_URL: databaseUrl,
    TEMPORAL_ADDRESS: inject('temporalAddress'),
    TEMPORAL_NAMESPACE: namespace,
    LOG_LEVEL: 'fatal',
    ...more,
  });
}
