import { Worker } from 'node:worker_threads';
import { LIMITS } from '../../contracts/budgets.ts';
import { PermanentTaskError, RetryableTaskError } from '../../domain/tasks/task-error.ts';
import type { Article } from './article.ts';
import type { ArticleAnswer, PageText } from './article-worker.ts';

const THREAD = new URL('./article-worker.ts', import.meta.url);

/** Heap limit of the thread. */
const MEMORY_MB = LIMITS.pages.articleBytes / 1_048_576;

/**
 * Finds the article on a page, in a thread that runs only for this. The time grows with the square of a page's elements and faster with
 * their depth (30,000 elements took 10 s, 3,000 nested ones more than a minute), and would block the process.
 * @param timeoutMs when the thread is ended.
 * @throws {PermanentTaskError} if there is no article, or finding it takes too long or too much memory.
 */
export async function articleInThread(page: PageText, timeoutMs: number, stop: AbortSignal): Promise<Article> {
  stop.throwIfAborted();
  const thread = new Worker(THREAD, {
    workerData: page,
    execArgv: [],
    resourceLimits: { maxOldGenerationSizeMb: MEMORY_MB },
  });
  try {
    return await new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(tooMuch(`${timeoutMs / 1_000} s`)), timeoutMs);
      const ended = () => reject(stop.reason);
      stop.addEventListener('abort', ended, { once: true });
      const settle = (how: () => void) => {
        clearTimeout(timer);
        stop.removeEventListener('abort', ended);
        how();
      };
      thread.once('message', (answer: ArticleAnswer) =>
        settle(() => ('article' in answer ? resolve(answer.article) : reject(new PermanentTaskError(answer.fault)))),
      );
      thread.once('error', (error) => settle(() => reject(faultOf(error))));
    });
  } finally {
    await thread.terminate();
  }
}

function faultOf(error: Error): Error {
  if ((error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY') return tooMuch(`${MEMORY_MB} MB of memory`);
  const message = `the page could not be taken apart: ${error.message}`;
  return new RetryableTaskError({ type: 'PageUnavailable', message, cause: error });
}

function tooMuch(limit: string): PermanentTaskError {
  return new PermanentTaskError({
    type: 'PageRefused',
    message: `finding the article on the page takes more than ${limit}`,
  });
}
