import { z } from 'zod';
import { LIMITS } from '../budgets.ts';
import { searchArguments, tags } from '../content/content.ts';
import { youtubeVideoId } from '../content/youtube-video.ts';
import { callbackUrl } from '../endings/callback.ts';
import { text } from '../text.ts';
import type { BuiltInTask } from './task-queues.ts';

const webUrl = text(LIMITS.content.urlCharacters).pipe(
  z.url({ protocol: /^https?$/, error: 'must be an http:// or https:// URL' }),
);

const ingestYoutube = {
  url: text(LIMITS.content.urlCharacters)
    .refine((url) => youtubeVideoId(url) !== undefined, 'must be the URL or the id of a YouTube video')
    .meta({ description: 'URL of the video in any form, or its id.' }),
  priority: z
    .boolean()
    .default(false)
    .meta({ description: 'The task may use the reserved part of the quota, and waits if it is used up.' }),
  transcript_text: text(LIMITS.content.transcriptCharacters)
    .regex(/\S/, 'must have text')
    .nullish()
    .meta({ description: 'The transcript, if you have it. YouTube often refuses requests from servers.' }),
  tags: tags.optional().meta({ description: 'Tags to filter searches and lists by.' }),
};

/**
 * The arguments of each task, in the order of positional arguments (`args`), as in the signature of a Python function. Each can be given by
 * name instead (`kwargs`). Unknown arguments are refused.
 */
export const TASK_SIGNATURES = {
  ingest_youtube: z.strictObject(ingestYoutube),
  ingest_youtube_with_callback: z.strictObject({
    url: ingestYoutube.url,
    callback_url: callbackUrl,
    priority: ingestYoutube.priority,
    transcript_text: ingestYoutube.transcript_text,
    tags: ingestYoutube.tags,
  }),
  ingest_url: z.strictObject({ url: webUrl, tags: ingestYoutube.tags }),
  process_content: z.strictObject({
    content_id: text(255).min(1),
    operations: z
      .array(z.enum(['embed', 'summarize']))
      .min(1)
      .max(10),
  }),
  semantic_search: z.strictObject(searchArguments),
} as const satisfies Record<BuiltInTask, z.ZodObject>;

/** The arguments of each task by name, with defaults filled in, as its handler gets them. */
export type TaskArguments = { [Name in BuiltInTask]: z.output<(typeof TASK_SIGNATURES)[Name]> };

const videoUrl = TASK_SIGNATURES.ingest_youtube.shape.url.optional();
/** Body of POST /youtube/ingest-async; `url` may be in the query instead. */
export const ingestAsyncBody = z.strictObject({ url: videoUrl }).meta({ id: 'IngestAsync' });
export const ingestAsyncQuery = z.strictObject({ url: videoUrl });
