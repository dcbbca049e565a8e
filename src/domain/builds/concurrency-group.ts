import type { BuildRequest } from '../../contracts/builds/event.ts';

/**
 * What the builds of a concurrency group have in common: forge, repository (forges do not tell capitals apart), workflow and ref. No
 * part holds a space.
 */
export function groupOf({ repository, workflow, ref, forge }: BuildRequest): string {
  return `${forge ? `${forge.api_url} ` : ''}${repository.toLowerCase()} ${workflow} ${shortRef(ref)}`;
}

/** The name of a branch or tag without `refs/heads/` or `refs/tags/`. */
export function shortRef(ref: string): string {
  return ref.replace(/^refs\/(heads|tags)\//, '');
}

/**
 * A branch by its short name; tags stay `refs/tags/...`, since a branch may have the same short name. Where the short name would
 * begin as a full one does, the full name stays.
 */
export function branchName(ref: string): string {
  return ref.replace(/^refs\/heads\/(?!(?:refs|heads|tags)\/)/, '');
}
