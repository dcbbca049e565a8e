import { answerSearch, type EmbedQuery } from '../store/content/search-answer.ts';
import { ingestUrl, type PageReader } from './ingest-url.ts';
import { ingestYoutube, type YouTubeDependencies } from './ingest-youtube.ts';
import { type ProcessDependencies, processContent } from './process-content.ts';
import type { TaskHandlers } from './task-handlers.ts';

export interface TaskDependencies extends YouTubeDependencies, ProcessDependencies {
  pages: PageReader;
  embedQuery: EmbedQuery;
}

/** Returns the handler of each task. */
export function createTaskHandlers(deps: TaskDependencies): TaskHandlers {
  return {
    ingest_youtube: (args, context) => ingestYoutube(deps, args, context),
    // The workflow sends the callback.
    ingest_youtube_with_callback: (args, context) => ingestYoutube(deps, args, context),
    ingest_url: (args, context) => ingestUrl(deps, args, context),
    process_content: (args, context) => processContent(deps, args, context),
    semantic_search: (args) => answerSearch(deps.content, deps.embedQuery, args),
  };
}
