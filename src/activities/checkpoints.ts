import { Context } from '@temporalio/activity';
import type { WitnessAddress } from '../contracts/checkpoint-settings.ts';
import { checkpointText } from '../domain/record/checkpoint.ts';
import { consistencyProof, rootOf } from '../domain/record/merkle-tree.ts';
import { type NoteSigner, noteOf } from '../domain/record/signed-note.ts';
import type { Blobs } from '../integrations/blobs.ts';
import { cosign } from '../integrations/witness.ts';
import type { Db } from '../store/database.ts';
import { findLastCheckpoint, type SignedCheckpoint, saveCheckpoint } from '../store/record/checkpoint-save.ts';
import { growLogTree, type LogExtent } from '../store/record/log-tree-grow.ts';
import { logSubtrees } from '../store/record/log-tree-read.ts';
import { SettledLog } from '../store/record/settled-log.ts';
import type { CheckpointPort } from '../workflows/ports/checkpoint.ts';
import { PUBLISHED_AT_ONCE, publishLog } from './publish-log.ts';

/** How long to wait for events that are being appended. The next checkpoint has the rest. */
const PATIENCE_MS = 5_000;
/** How long the activity starts on further work. It has four minutes; the next checkpoint goes on. */
const BUSY_MS = 180_000;

/** How checkpoints are made. */
export interface CheckpointOptions {
  signer: NoteSigner;
  /** The places where the log is published. */
  places: ReadonlyMap<string, Blobs>;
  witnesses: readonly WitnessAddress[];
}

/** Returns the activity that signs the log. @param options undefined if there is no key: then it does nothing. */
export function checkpointActivities(db: Db, options: CheckpointOptions | undefined): CheckpointPort {
  return {
    async checkpointLog() {
      if (!options) return;
      const { cancellationSignal: stop, log } = Context.current();
      const until = performance.now() + BUSY_MS;
      const settled = await new SettledLog(db).settle(PATIENCE_MS);
      for (let more = true; more && performance.now() < until; ) {
        const last = await findLastCheckpoint(db);
        const most = (last?.size ?? 0) + PUBLISHED_AT_ONCE;
        const extent = await grow(db, settled, most, stop);
        if (extent.size === 0) return;
        const checkpoint = last?.size === extent.size ? last : await sign(db, extent, last, options, warn);
        await publish(checkpoint, options.places, until);
        more = extent.size >= most;
      }

      function warn(error: Error): void {
        log.warn('a checkpoint lacks the signature of a witness', { error });
      }
    },
  };

  async function publish(checkpoint: Published, places: CheckpointOptions['places'], until: number): Promise<void> {
    const published = await Promise.allSettled(
      [...places].map(([name, place]) =>
        publishLog(db, place, checkpoint, until).catch((error: Error) => {
          throw new Error(`${name}: ${error.message}`, { cause: error });
        }),
      ),
    );
    const failed = published.flatMap((one) => (one.status === 'rejected' ? [one.reason as Error] : []));
    if (failed.length > 0) throw new Error(failed.map(({ message }) => message).join('; '));
  }
}

type Published = Pick<SignedCheckpoint, 'size' | 'note'>;

/** @param most stops once the tree has this many events, so that a large log gets checkpoints on the way. */
async function grow(db: Db, settled: number, most: number, stop: AbortSignal): Promise<LogExtent> {
  for (let before = -1; ; ) {
    stop.throwIfAborted();
    const extent = await growLogTree(db, settled);
    if (extent.size === before || extent.size >= most) return extent;
    before = extent.size;
  }
}

async function sign(
  db: Db,
  { size, end }: LogExtent,
  last: SignedCheckpoint | undefined,
  { signer, witnesses }: CheckpointOptions,
  warn: (error: Error) => void,
): Promise<Pick<SignedCheckpoint, 'size' | 'note'>> {
  const subtrees = logSubtrees(db);
  const text = checkpointText(signer.name, { size, root: await rootOf(subtrees, 0, size) });
  const own = signer.sign(text);
  const signed = await Promise.allSettled(
    witnesses.map((witness) =>
      cosign(witness, noteOf(text, [own]), last?.size ?? 0, async (from) => {
        if (from > size) throw new Error(`the witness ${witness.url} saw ${from} events, and the log has ${size}`);
        return consistencyProof(subtrees, from, size);
      }),
    ),
  );
  for (const one of signed) if (one.status === 'rejected') warn(one.reason as Error);
  const others = signed.flatMap((one) => (one.status === 'fulfilled' ? one.value : []));
  const note = noteOf(text, [own, ...others]);
  await saveCheckpoint(db, { size, end, note, verifier_key: signer.verifierKey });
  return { size, note };
}
