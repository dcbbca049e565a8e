import type { Right } from '../../contracts/keys/key-event.ts';

/** The most that a caller may ask for; null for no limit. */
export interface CallerLimits {
  requests_per_minute: number | null;
  builds_in_flight: number | null;
  tasks_in_flight: number | null;
}

export const NO_LIMITS: CallerLimits = { requests_per_minute: null, builds_in_flight: null, tasks_in_flight: null };

/** A caller and its rights. */
export interface Grant extends CallerLimits {
  /** Name in the record, and the scope of Idempotency-Keys. */
  caller: string;
  rights: readonly Right[];
  /** Patterns of the repositories that it reaches; null for all. */
  repositories: readonly string[] | null;
  /** Queues of the tasks that it reaches; null for all. */
  queues: readonly string[] | null;
  /** Id of the key, if somebody created it. */
  keyId?: string;
  /** When it ends, in milliseconds since 1970; left out if it lasts. */
  expiresAt?: number;
  /** Whether this machine has it, because there are no keys. */
  isLocal?: boolean;
}

export function hasRight({ rights }: Pick<Grant, 'rights'>, right: Right): boolean {
  return rights.includes(right) || rights.includes('admin');
}

/** Says whether a grant reaches only some repositories or queues. A grant that names only one kind reaches nothing of the other. */
export function isRestricted({ repositories, queues }: Pick<Grant, 'repositories' | 'queues'>): boolean {
  return repositories !== null || queues !== null;
}

export function reachesRepository(grant: Pick<Grant, 'repositories' | 'queues'>, repository: string): boolean {
  return !isRestricted(grant) || matchesRepository(grant.repositories ?? [], repository);
}

export function reachesQueue(grant: Pick<Grant, 'repositories' | 'queues'>, queue: string): boolean {
  return !isRestricted(grant) || (grant.queues ?? []).includes(queue);
}

/** Says whether one of the patterns, `OWNER/NAME` or `OWNER/*`, matches a repository. Ignores case. */
export function matchesRepository(patterns: readonly string[], repository: string): boolean {
  const name = repository.toLowerCase();
  return patterns.some((given) => {
    const pattern = given.toLowerCase();
    return pattern.endsWith('/*') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
  });
}
