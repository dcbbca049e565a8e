import { youtubeVideoId } from '../contracts/content/youtube-video.ts';
import { ENDED_TASK_STATUSES } from '../contracts/tasks/task.ts';
import type { TaskArguments } from '../contracts/tasks/task-signatures.ts';
import { contentIdOfVideo } from '../domain/content/content-id.ts';
import { quotaDay } from '../domain/content/quota-day.ts';
import { afterRefusal, type QuotaPolicy, quotaCeiling } from '../domain/content/youtube-quota.ts';
import { PermanentTaskError, RetryableTaskError } from '../domain/tasks/task-error.ts';
import type { MetadataAnswer, YouTube } from '../integrations/content/youtube.ts';
import { reserveQuota } from '../store/content/quota-reserve.ts';
import { releaseQuota, settleQuota } from '../store/content/quota-settle.ts';
import { addContentSource } from '../store/erasures/content-source.ts';
import { findTask } from '../store/tasks/task-find.ts';
import { type ContentKeeper, keepContent } from './keep-content.ts';
import type { ActivityMeter } from './meter.ts';
import type { TaskContext } from './task-handlers.ts';

export interface YouTubeDependencies extends ContentKeeper {
  youtube: YouTube;
  quota: QuotaPolicy;
  /** Returns the present time, in epoch milliseconds; by default the system's. */
  clock?: () => number;
  meter?: Pick<ActivityMeter, 'quotaAsked'> | undefined;
}

/** The result of an ingestion (seed 003). */
export interface Ingested {
  status: 'success';
  content_id: string;
  title: string;
}

/** Longer than a call to the Data API takes, and longer than most ingestions: a call without a response by then never gets one. */
const TURN_MS = 30_000;
/** Pause of a task while another one brings in the same video. */
const OTHERS_TURN_MS = 2_000;

/**
 * Brings in a video, once: asks the Data API about it, within the quota, and takes the transcript from the caller or from
 * YouTube's captions.
 */
export async function ingestYoutube(
  deps: YouTubeDependencies,
  args: TaskArguments['ingest_youtube'],
  context: Pick<TaskContext, 'taskId' | 'signal'>,
): Promise<Ingested> {
  const videoId = youtubeVideoId(args.url);
  if (videoId === undefined) {
    throw new PermanentTaskError({ type: 'ValueError', message: `this is not a YouTube video: ${args.url}` });
  }
  const id = contentIdOfVideo(videoId);
  const ingested = async (): Promise<Ingested | undefined> => {
    const existing = await deps.content.find(id);
    if (!existing) return undefined;
    await addContentSource(deps.db, id, existing.blob_key);
    return { status: 'success', content_id: id, title: existing.title };
  };
  const earlier = await ingested();
  if (earlier) return earlier;

  const metadata = await askAbout(deps, videoId, { priority: args.priority, taskId: context.taskId });
  // Another task may have finished it since the first look.
  const meanwhile = await ingested();
  if (meanwhile) return meanwhile;
  const given = args.transcript_text ?? undefined;
  const captions =
    given === undefined
      ? await deps.youtube.captions(videoId, metadata?.audio_language ?? null, context.signal)
      : undefined;
  // Captions may take longer than the turn of this task.
  const byOther = await ingested();
  if (byOther) return byOther;
  const kept = await keepContent(deps, {
    id,
    type: 'youtube',
    url: `https://www.youtube.com/watch?v=${videoId}`,
    title: metadata?.title ?? `YouTube: ${videoId}`,
    author: metadata?.author ?? null,
    language: captions?.language ?? metadata?.language ?? null,
    published_at: metadata?.published_at ?? null,
    tags: [...new Set([...(args.tags ?? []), ...(metadata?.tags ?? [])])],
    text: captions?.text ?? given ?? '',
    source: captions ? { kind: 'json', body: JSON.stringify(captions.segments) } : { kind: 'txt', body: given ?? '' },
  });
  return { status: 'success', content_id: kept.id, title: kept.title };
}

/**
 * Takes the turn of a video, and asks the Data API about it at most once a day, over all tasks. Without a key it asks nothing. A call
 * that may have been made is not repeated: Google would bill it again. Returns undefined if nothing is known about the video, which stops no ingestion.
 * @throws {PermanentTaskError} if the day's quota is used up.
 * @throws {RetryableTaskError} if a task with priority has to wait for quota, or another task brings in this video.
 */
async function askAbout(
  { db, youtube, quota, clock = Date.now, meter }: YouTubeDependencies,
  videoId: string,
  { priority, taskId }: { priority: boolean; taskId: string },
) {
  const at = clock();
  const key = `${youtube.hasKey ? 'videos.list' : 'turn'}:${videoId}:${quotaDay(at)}`;
  const ceiling = youtube.hasKey ? quotaCeiling(quota, priority) : undefined;
  const reservation = await reserveQuota(db, { key, holder: taskId, units: 1, ceiling, at });
  // The task that asked first brings the video in. Waits until it has succeeded or failed.
  if ('holder' in reservation && reservation.holder !== taskId && at - reservation.reservedAt < TURN_MS) {
    const holder = await findTask(db, reservation.holder);
    if (!holder || !ENDED_TASK_STATUSES.includes(holder.status)) {
      throw waiting('VideoBusy', 'another task is ingesting this video', OTHERS_TURN_MS);
    }
  }
  switch (reservation.kind) {
    case 'granted': {
      if (!youtube.hasKey) return undefined;
      meter?.quotaAsked('granted');
      // Continues even if the task is stopped: the response is paid for.
      const answer = await youtube.metadata(videoId);
      if (answer.kind === 'failed' && !answer.sent) await releaseQuota(db, key);
      else await settleQuota(db, key, answer);
      return videoOf(answer);
    }
    case 'settled':
      return videoOf(reservation.answer as MetadataAnswer);
    case 'in_doubt':
      return undefined;
    case 'refused': {
      const next = afterRefusal(at, priority);
      meter?.quotaAsked(next.kind === 'fail' ? 'refused' : 'waiting');
      if (next.kind === 'wait')
        throw waiting('QuotaExceeded', 'YouTube API quota exceeded; waiting for more', next.forMs);
      throw new PermanentTaskError({ type: 'QuotaExceeded', message: 'YouTube API quota exceeded' });
    }
    default:
      return reservation satisfies never;
  }
}

function videoOf(answer: MetadataAnswer) {
  return answer.kind === 'found' ? answer.video : undefined;
}

function waiting(type: string, message: string, retryAfterMs: number): RetryableTaskError {
  return new RetryableTaskError({ type, message, retryAfterMs, counted: false });
}
