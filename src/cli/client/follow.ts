import { setTimeout as sleep } from 'node:timers/promises';
import type { EventView } from '../../contracts/builds/event.ts';
import { type Api, Unreachable } from './api.ts';

/** The server sends a comment every 15 seconds; after this long without a byte it is taken for gone. */
const SILENCE_MS = 45_000;
const FIRST_PAUSE_MS = 250;
const LONGEST_PAUSE_MS = 5_000;

export interface Following {
  /** The last event that is known already. */
  afterSeq: number;
  /** Ends it. */
  signal?: AbortSignal;
  /** How long the server may be away at a stretch. */
  patienceMs: number;
  /** Told when the server is away, and undefined when it is back. */
  onAway?(away: Unreachable | undefined): void;
}

/**
 * The events of a build or task as they happen, until it ends. A connection that breaks is opened again after the last event,
 * so each comes once. That a stream stopped does not mean an end: only the server's word (204) does.
 * @throws {Unreachable} where the server is away for longer than the patience. @throws {Failure} where it refuses.
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

/** Connections break as TypeErrors of fetch, and as our own abort after a silence. */
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
