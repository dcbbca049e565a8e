import { setTimeout as sleep } from 'node:timers/promises';
import type { EventView } from '../../contracts/builds/event.ts';
import { type Api, Unreachable } from './api.ts';

/** How long a stream may be silent before the server counts as gone. The server sends a comment every 15 seconds. */
const SILENCE_MS = 45_000;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

export interface Following {
  /** The last event that is already known. */
  afterSeq: number;
  /** Stops it. */
  signal?: AbortSignal;
  /** How long the server may be away without a break. */
  patienceMs: number;
  /** Called when the server is away, and with undefined when it is back. */
  onAway?(away: Unreachable | undefined): void;
}

/**
 * Yields the events of a build or task as they happen, until it ends. A broken connection resumes after the last event, so each event comes
 * once. The end of a stream does not mean that the build or task has ended; only the server's response 204 does.
 * @throws {Unreachable} if the server is away for longer than `patienceMs`. @throws {Failure} if it refuses.
 */
export async function* follow(api: Api, path: string, following: Following): AsyncGenerator<EventView> {
  const { patienceMs, signal, onAway } = following;
  let last = following.afterSeq;
  let awaySince: number | undefined;
  let pauseMs = FIRST_PAUSE_MS;
  while (!signal?.aborted) {
    try {
      const silence = new AbortController();
      const response = await api.open(path, {
        headers: { accept: 'text/event-stream', ...(last > 0 ? { 'last-event-id': String(last) } : {}) },
        signal: signal ? AbortSignal.any([signal, silence.signal]) : silence.signal,
      });
      if (response.status === 204) return;
      if (awaySince !== undefined) onAway?.(undefined);
      awaySince = undefined;
      pauseMs = FIRST_PAUSE_MS;
      for await (const event of eventsOf(response, silence)) {
        last = event.seq;
        yield event;
      }
    } catch (error) {
      if (signal?.aborted) return;
      if (!(error instanceof Unreachable) && !isBroken(error)) throw error;
      const away = error instanceof Unreachable ? error : new Unreachable(brokenFault(api));
      awaySince ??= Date.now();
      if (Date.now() - awaySince > patienceMs) throw away;
      onAway?.(away);
      await sleep(pauseMs, undefined, signal ? { signal } : {}).catch(() => {});
      pauseMs = Math.min(pauseMs * 2, LONGEST_PAUSE_MS);
    }
  }
}

/** Says whether a connection broke: as a TypeError of fetch, or as this client's own abort after a silence. */
function isBroken(error: unknown): boolean {
  return error instanceof TypeError || (error as Error).name === 'AbortError';
}

function brokenFault(api: Api) {
  return { code: 'unreachable', title: `The connection to ${api.target.url} broke` };
}

async function* eventsOf(response: Response, silence: AbortController): AsyncGenerator<EventView> {
  let text = '';
  const timer = setTimeout(() => silence.abort(), SILENCE_MS);
  try {
    for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
      timer.refresh();
      text += chunk;
      const blocks = text.split('\n\n');
      text = blocks.pop() ?? '';
      for (const block of blocks) {
        const data = /^data: (.*)$/m.exec(block)?.[1];
        if (data) yield JSON.parse(data) as EventView;
      }
    }
  } finally {
    clearTimeout(timer);
  }
}
