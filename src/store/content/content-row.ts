import type { Content } from '../../contracts/content/content.ts';

/** A row of the table `contents`. */
export interface ContentRow extends Omit<Content, 'content_id'> {
  id: string;
  text_sha256: string;
  blob_key: string;
}

/** Returns content as the API shows it. */
export function contentFromRow({ id, text_sha256: _hash, blob_key: _key, ...content }: ContentRow): Content {
  return { content_id: id, ...content };
}
