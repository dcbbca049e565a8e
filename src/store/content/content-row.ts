import type { Content, ContentDetail } from '../../contracts/content/content.ts';
import { textOfAnswer } from '../../domain/content/model-answer.ts';

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

/** Returns content with everything made from it, as the API shows it. @param withChunks whether it shows the texts. */
export function detailOf(
  row: ContentRow,
  { texts, ...made }: Pick<ContentDetail, 'summaries' | 'embedded'> & { texts: ReadonlyArray<{ text: string }> },
  withChunks: boolean,
): ContentDetail {
  return {
    ...contentFromRow(row),
    chunks: texts.length,
    embedded: [...made.embedded],
    summaries: made.summaries.flatMap(({ model, text: answer, created_at }) => {
      // An earlier version of Hapax kept the model's thoughts with the summary.
      const text = textOfAnswer(answer);
      return text === undefined ? [] : [{ model, text, created_at }];
    }),
    ...(withChunks ? { chunk_texts: texts.map(({ text }) => text) } : {}),
  };
}
