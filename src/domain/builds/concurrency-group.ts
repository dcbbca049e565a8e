import type { BuildRequest } from '../../contracts/builds/event.ts';

/**
 * Returns the name of a build's concurrency group: forge, repository (forges ignore its case), workflow and ref. No part contains a
 * space.
 */
export function groupOf({ workflow, ref, ...place }: BuildRequest): string {
  return `${placeOfRuns(place)} ${workflow} ${shortRef(ref)}`;
}

/** Returns the scope of run numbers: forge and repository. */
export function placeOfRuns({ repository, forge }: Pick<BuildRequest, 'repository' | 'forge'>): string {
  return `${forge ? `${forge.api_url} ` : ''}${repository.toLowerCase()}`;
}

/** Returns the name of a branch or tag without `refs/heads/` or `refs/tags/`. */
export function shortRef(ref: string): string {
  return ref.replace(/^refs\/(heads|tags)\//, '');
}

/**
 * Shortens the full name of a branch. Tags stay `refs/tags/...`, since a branch may have the same short name. A branch keeps its full
 * name if its short name would begin like a full one.
 */
export function branchName(ref: string): string {
  return ref.replace(/^refs\/heads\/(?!(?:refs|heads|tags)\/)/, '');
}
