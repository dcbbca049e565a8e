import { z } from 'zod';
import { LIMITS } from '../budgets.ts';
import { pageCursor, pageLimit } from '../paging.ts';
import { text } from '../text.ts';
import { timestamp } from '../timestamp.ts';

export const CONTENT_TYPES = ['youtube', 'web'] as const;
export type ContentType = (typeof CONTENT_TYPES)[number];
const contentType = z.enum(CONTENT_TYPES);

/** Tags of content, to filter searches and lists by. */
export const tags = z.array(text(LIMITS.content.tagCharacters).min(1)).max(LIMITS.content.tags);

/** Content as it is stored: the latest version of what a URL returned. */
export const content = z
  .object({
    content_id: z
      .string()
      .meta({ description: 'yt:VIDEO for a video, web:HASH for a page.', example: 'yt:dQw4w9WgXcQ' }),
    type: contentType,
    url: z.string(),
    title: z.string(),
    author: z.string().nullable(),
    language: z.string().nullable().meta({ description: 'Language according to the source, as a BCP 47 tag.' }),
    published_at: timestamp.nullable(),
    tags: z.array(z.string()),
    version: z.int().meta({ description: 'Increases when a page is ingested again with another text.' }),
    characters: z.int(),
    created_at: timestamp,
    updated_at: timestamp,
  })
  .meta({ id: 'Content' });
export type Content = z.infer<typeof content>;

export const contentDetail = content
  .extend({
    chunks: z.int().meta({ description: 'How many pieces the text was split into.' }),
    embedded: z
      .array(z.object({ model: z.string(), chunks: z.int() }))
      .meta({ description: 'How many of them have an embedding, by model.' }),
    summaries: z.array(z.object({ model: z.string(), text: z.string(), created_at: timestamp })),
    chunk_texts: z.array(z.string()).optional().meta({ description: 'The pieces of the text, if you asked for them.' }),
  })
  .meta({ id: 'ContentDetail' });
export type ContentDetail = z.infer<typeof contentDetail>;

export const contentPage = z
  .object({ contents: z.array(content), next_cursor: z.string().nullable() })
  .meta({ id: 'ContentPage' });

/** Filters of a list or a search. */
const filters = {
  type: contentType.optional(),
  tags: tags.optional().meta({ description: 'Only content that has all of these.' }),
};
export type ContentFilter = { type?: ContentType | undefined; tags?: string[] | undefined };

export const contentListQuery = z.strictObject({
  type: filters.type,
  tag: text(LIMITS.content.tagCharacters).min(1).optional(),
  limit: pageLimit,
  cursor: pageCursor,
});

export const contentDetailQuery = z.strictObject({
  chunks: z
    .enum(['true', 'false'])
    .default('false')
    .meta({ description: 'Whether to include the pieces of the text.' }),
});

/** Arguments of a search, over HTTP and as the task semantic_search. */
export const searchArguments = {
  query: text(LIMITS.content.queryCharacters).min(1),
  limit: z.int().min(1).max(LIMITS.content.results).default(10),
  ...filters,
};
export const searchBody = z.strictObject(searchArguments).meta({ id: 'SearchBody' });

export const searchResult = z
  .object({
    content_id: z.string(),
    type: contentType,
    title: z.string(),
    url: z.string(),
    tags: z.array(z.string()),
    score: z
      .number()
      .meta({ description: 'Only for the order of results. Scores of different searches cannot be compared.' }),
    snippet: z.string().meta({ description: 'The piece of the text that matches best.' }),
    matched_by: z.array(z.enum(['all_words', 'some_words', 'meaning'])).meta({
      description: 'Why it is a result: it has all words of the query, or some of them, or it means about the same.',
    }),
  })
  .meta({ id: 'SearchResult' });

export const searchAnswer = z
  .object({
    query: z.string(),
    results: z.array(searchResult),
    method: z
      .enum(['hybrid', 'lexical'])
      .meta({ description: 'hybrid: by meaning and words. lexical: by words only; `note` says why.' }),
    model: z.string().nullable().meta({ description: 'Model of the embeddings that were compared.' }),
    note: z.string().optional(),
  })
  .meta({ id: 'SearchAnswer' });
export type SearchAnswer = z.infer<typeof searchAnswer>;
export type SearchArguments = z.output<typeof searchBody>;
