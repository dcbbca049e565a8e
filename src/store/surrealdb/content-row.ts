import type { ContentFilter } from '../../contracts/content/content.ts';
import type { VectorMaker } from '../content/vector-maker.ts';

/** The columns of a `ContentRow`. */
export const ROW =
  'key AS id, type, url, title, author, language, published_at, tags, version, text_sha256, blob_key, characters, created_at, updated_at';

/** The condition of a filter on contents, and on their chunks and vectors. */
export const PASSES = '($type = NONE OR type = $type) AND tags CONTAINSALL $tags';
export const filterValues = ({ type, tags = [] }: ContentFilter) => ({ type, tags });

/** The condition that a vector is from this maker, as far as known. Unknown values are NONE. */
export const IS_MADE = `model = $model AND ($revision = NONE OR revision = NONE OR revision = $revision)
  AND ($dimensions = NONE OR dimensions = $dimensions)`;
export const makerValues = ({ model, revision, dimensions }: VectorMaker) => ({ model, revision, dimensions });
