import type { Logger } from 'pino';
import { type RenewDependencies, renewVectors, renewWords } from '../activities/renew-content.ts';
import { type Repeating, repeat } from '../commands/lifecycle/repeat.ts';
import type { Settings } from '../contracts/settings.ts';
import type { ModelIdentity } from '../integrations/content/embedding-model.ts';
import { claimContentSweep } from '../store/content/content-sweep-claim.ts';
import type { Db } from '../store/database.ts';
import { queuesOf } from './tasks.ts';

export interface ContentSweepOptions extends RenewDependencies {
  /** Decides which process sweeps. */
  db: Db;
  log: Logger;
  everyMs?: number;
  claimMs?: number;
}

const EVERY_MS = 30_000;
/** A claim expires after this time. A timer renews it while the sweep runs: one content can take longer. */
const CLAIM_MS = 15_000;
/**
 * How long the model counts as unchanged. After that, all content is looked through again. A server that names no digest is
 * then asked for a vector, which loads the model.
 */
const RECENT_MS = 3_600_000;

/** Starts the sweep if the process works on content. */
export function sweepContent(settings: Settings, options: ContentSweepOptions) {
  return queuesOf(settings).queues.has('content') ? startContentSweep(options) : undefined;
}

/**
 * Looks now and then for content that an earlier version or another model has processed, and makes its words and vectors
 * again. One process of all sweeps at a time; the database decides which. Nothing waits for this: meanwhile, searches use
 * the existing words and vectors.
 */
export function startContentSweep(options: ContentSweepOptions): Repeating {
  const { db, content, embedding, log, everyMs = EVERY_MS, claimMs = CLAIM_MS } = options;
  let wordsRenewed = false;
  /** The model of the last complete sweep, and when that ended. */
  let swept: { identity: ModelIdentity; at: number } | undefined;

  /** Returns the model if all content has to be checked for vectors of another model. */
  const changedModel = async (signal: AbortSignal): Promise<ModelIdentity | undefined> => {
    const isRecent = swept !== undefined && Date.now() < swept.at + RECENT_MS;
    if (isRecent && swept?.identity.revision === undefined) return undefined;
    // Without vectors there is nothing to make again, and no reason to ask the model for its identity.
    if (!(await content.hasEmbeddings())) return undefined;
    const identity = await embedding?.identify(signal);
    return isRecent && swept?.identity.revision === identity?.revision ? undefined : identity;
  };

  /** @returns false if another process is sweeping. */
  const sweep = async (signal: AbortSignal): Promise<boolean> => {
    const identity = await changedModel(signal).catch((err: unknown) => {
      log.debug({ err }, 'the sweep of content does not reach the model');
      return undefined;
    });
    if (wordsRenewed && !identity) return true;
    if (!(await claimContentSweep(db, claimMs))) return false;
    const renewing = setInterval(() => void claimContentSweep(db, 0).catch(() => {}), claimMs / 3);
    try {
      await renew(identity, signal);
    } finally {
      clearInterval(renewing);
    }
    return true;
  };

  const renew = async (identity: ModelIdentity | undefined, signal: AbortSignal): Promise<void> => {
    if (!wordsRenewed) {
      const chunks = await renewWords({ content, embedding }, signal);
      if (chunks > 0) log.info({ chunks }, 'the word index of content was updated');
      wordsRenewed = true;
    }
    if (!identity) return;
    const contents = await renewVectors({ content, embedding }, identity, signal);
    if (contents > 0) log.info({ contents, model: embedding?.name }, 'the embeddings of content were computed again');
    swept = { identity, at: Date.now() };
  };

  return repeat(async (signal) => {
    const looked = await sweep(signal).catch((err: unknown) => {
      if (!signal.aborted) log.debug({ err }, 'the sweep of content waits');
      return true;
    });
    return looked ? everyMs : claimMs / 3;
  });
}
