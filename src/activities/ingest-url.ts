import type { TaskArguments } from '../contracts/tasks/task-signatures.ts';
import { contentIdOfPage, pageUrlOf } from '../domain/content/content-id.ts';
import { PermanentTaskError } from '../domain/tasks/task-error.ts';
import type { WebPages } from '../integrations/content/web-page.ts';
import type { Ingested } from './ingest-youtube.ts';
import { type ContentKeeper, keepContent } from './keep-content.ts';
import type { TaskContext } from './task-handlers.ts';

/** A reader of web pages. */
export type PageReader = Pick<WebPages, 'read'>;

/** Brings in the article of a web page. If its text has changed since the last time, this makes a new version. */
export async function ingestUrl(
  deps: ContentKeeper & { pages: PageReader },
  args: TaskArguments['ingest_url'],
  { signal }: Pick<TaskContext, 'signal'>,
): Promise<Ingested> {
  const url = pageUrlOf(args.url);
  if (url === undefined) {
    throw new PermanentTaskError({
      type: 'ValueError',
      message: `this is not an http:// or https:// URL: ${args.url}`,
    });
  }
  const { source, ...article } = await deps.pages.read(url, signal);
  const kept = await keepContent(deps, {
    ...article,
    id: contentIdOfPage(url),
    type: 'web',
    url,
    tags: [...new Set([...(args.tags ?? []), ...article.tags])],
    source: { kind: 'html', body: source },
  });
  return { status: 'success', content_id: kept.id, title: kept.title };
}
