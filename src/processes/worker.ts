import { createTaskHandlers } from '../activities/content-tasks.ts';
import type { Settings } from '../contracts/settings.ts';
import { createWorkers } from '../worker/workers.ts';
import { callbackSenderOf } from './callbacks.ts';
import { connectContent } from './content.ts';
import { sweepContent } from './content-sweep.ts';
import { connectGitHub } from './github.ts';
import { toLog, watchGitHub } from './github-watch.ts';
import { logEnds } from './log-ends.ts';
import { queuesOf } from './tasks.ts';
import { runWorkingProcess } from './working-process.ts';

/** `hapax worker`: builds and tasks, from a Temporal that may come later than the worker. */
export async function runWorker(settings: Settings): Promise<void> {
  await runWorkingProcess(settings, 'worker', async ({ connection, address, db, metrics, log, stopping }) => {
    const content = connectContent(settings);
    const github = connectGitHub(settings, metrics, db);
    const watch = watchGitHub({ settings, github, say: toLog(log) });
    const workers = await createWorkers({
      connection,
      namespace: settings.TEMPORAL_NAMESPACE,
      db,
      github,
      sender: callbackSenderOf(settings),
      handlers: createTaskHandlers({ db, ...content, meter: metrics }),
      ...queuesOf(settings),
      meter: logEnds(metrics, log),
      onShutdownOrder() {
        log.info('worker was told to shut down');
        workers.shutdown();
      },
    });
    void stopping.then((signal) => {
      log.info({ signal }, 'worker is stopping');
      workers.shutdown();
    });
    const sweep = sweepContent(settings, { db, embedding: content.embedding, log });
    log.info({ address }, 'worker is up');
    await workers.run();
    await watch.stop();
    await sweep?.stop();
    await content.close();
  });
}
