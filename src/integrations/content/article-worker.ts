import { parentPort, workerData } from 'node:worker_threads';
import { PermanentTaskError } from '../../domain/tasks/task-error.ts';
import { type Article, articleOf, type PageKind } from './article.ts';

/** A page as it was read. */
export interface PageText {
  source: string;
  kind: PageKind;
  url: string;
}

export type ArticleAnswer = { article: Article } | { fault: { type: string; message: string } };

parentPort?.postMessage(answer(workerData as PageText));

function answer({ source, kind, url }: PageText): ArticleAnswer {
  try {
    return { article: articleOf(source, kind, url) };
  } catch (error) {
    const { message } = error as Error;
    if (error instanceof PermanentTaskError) return { fault: { type: error.type, message } };
    // A parser that fails on a page will fail on it again.
    return { fault: { type: 'NothingToRead', message: `the page cannot be parsed: ${message.split('\n')[0]}` } };
  }
}
