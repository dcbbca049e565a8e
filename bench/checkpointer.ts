import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { MockActivityEnvironment } from '@temporalio/testing';
import { checkpointActivities } from '../src/activities/checkpoints.ts';
import { noteKeyOf, readNoteSigner } from '../src/domain/record/signed-note.ts';
import { directoryBlobs } from '../src/integrations/blobs.ts';
import { openDatabase } from '../src/store/database.ts';
import { serve } from './helper.ts';

export type Checkpointing =
  /** Makes checkpoints until the log is in one whole; with a directory, publishes it there. */
  | { kind: 'catch_up'; url: string; directory?: string }
  /** Makes one after the other, with this pause, until it is told to stop. */
  | { kind: 'start'; url: string; pauseMs: number }
  | { kind: 'stop' };

const SIGNER = readNoteSigner(noteKeyOf('hapax.bench/log', randomBytes(32)));
let stop = async (): Promise<void> => {};

serve<Checkpointing>(async (asked): Promise<void> => {
  if (asked.kind === 'stop') return stop();
  const { db, close } = openDatabase({ url: asked.url, connections: 2 });
  const directory = asked.kind === 'catch_up' ? asked.directory : undefined;
  const places = new Map(directory === undefined ? [] : [['bench', directoryBlobs(join(directory, 'log'))]]);
  const { checkpointLog } = checkpointActivities(db, { signer: SIGNER, places, witnesses: [] });
  const checkpoint = () => new MockActivityEnvironment().run(checkpointLog);
  if (asked.kind === 'catch_up') {
    await checkpoint();
    return close();
  }
  let stopped = false;
  const making = (async () => {
    while (!stopped) {
      await checkpoint();
      await delay(asked.pauseMs);
    }
  })();
  stop = async () => {
    stopped = true;
    await making;
    await close();
  };
});
