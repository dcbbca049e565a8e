import { z } from 'zod';
import { invalidRequest } from '../commands/refusal.ts';

/** Returns the ETag of a version. */
export function etagOf(version: number): string {
  return `"${version}"`;
}

/** Header of responses that hold a version. */
export const etagHeader = z.string().meta({ description: 'The version, for If-Match.' });

/** Header of requests that change a resource only if it is still the version that the client knows. */
export const ifMatchHeader = z.object({
  'if-match': z.string().max(1_000).optional().meta({
    description: 'ETag of the version that you want to change. If it is not the newest, the response is 412.',
    example: '"1"',
  }),
});

const TAGS = /^(W\/)?"[^"]*"(\s*,\s*(W\/)?"[^"]*")*$/;

/**
 * Returns a function that says whether `If-Match` allows a change of a version; undefined stands for a resource that does not exist. Weak
 * tags never match.
 */
export function ifMatch(header: string | undefined): (version: number | undefined) => boolean {
  const given = header?.trim();
  if (given === undefined) return () => true;
  if (given === '*') return (version) => version !== undefined;
  if (!TAGS.test(given)) {
    throw invalidRequest([{ path: 'header.if-match', message: 'must be an ETag in its quotes, for example "1"' }]);
  }
  const tags = new Set(given.split(',').map((tag) => tag.trim()));
  return (version) => version !== undefined && tags.has(etagOf(version));
}
