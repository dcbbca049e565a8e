import type { Content } from '../../contracts/content/content.ts';
import type { contents } from '../schema.ts';

export type ContentRow = typeof contents.$inferSelect;

/** Content as the API shows it. */
export function contentFromRow({ id, text_sha256: _hash, blob_key: _key, ...content }: ContentRow): Content {
  return { content_id: id, ...content };
}
