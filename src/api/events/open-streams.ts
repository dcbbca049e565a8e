import type { HttpBindings } from '@hono/node-server';
import type { Context } from 'hono';
import { streamSSE } from 'hono/streaming';
import type { Gate } from '../../commands/keys/gate.ts';
import { Refusal } from '../../commands/refusal.ts';
import { LIMITS } from '../../contracts/budgets.ts';
import type { ApiEnvironment } from '../environment.ts';

/** The client of a stream. */
export interface Listener {
  /** Aborted when the client is gone, or was cut off because it did not read, or when the server closes. */
  gone: AbortSignal;
  /** Sends an event and resolves when the client can take more. Without a type and data, it sends only the id, which the client keeps. */
  send(event: { id: number; type?: string; json?: string }): Promise<void>;
  /** Makes the next sign of life send this id. */
  reach(id: number): void;
}

export interface StreamLimits {
  /** How many may be open at the same time. */
  open: number;
  /** How long a client may take to read what was sent, in milliseconds. */
  stalledMs: number;
  /** How often a quiet stream sends a sign of life, in milliseconds. It keeps proxies from closing the stream. */
  beatMs: number;
}

const { open, stalledSeconds } = LIMITS.streams;
const USUAL: StreamLimits = { open, stalledMs: stalledSeconds * 1_000, beatMs: 15_000 };

/** The streams and waiting requests of one process, which share a limit. */
export class OpenStreams {
  readonly #limits: StreamLimits;
  readonly #gate: Gate | undefined;
  #count = 0;

  /** @param gate ends the streams of callers who are no longer let in. Left out: nothing ends them. */
  constructor(limits: StreamLimits = USUAL, gate?: Gate) {
    this.#limits = limits;
    this.#gate = gate;
  }

  get count(): number {
    return this.#count;
  }

  /** Counts one more until the returned function is called. @throws {Refusal} 503 if there are too many. */
  enter(): () => void {
    const { open } = this.#limits;
    if (this.#count >= open) {
      const detail = `${open} are open; try again, or get pages instead`;
      throw new Refusal('too_many_streams', { detail, retryAfterSeconds: 5 });
    }
    this.#count++;
    let left = false;
    return () => {
      if (!left) this.#count--;
      left = true;
    };
  }

  /** Responds with a stream of events, which ends when `work` does. @throws {Refusal} 503 if there are too many. */
  serve(c: Context<ApiEnvironment>, work: (listener: Listener) => Promise<void>): Response {
    const { stalledMs, beatMs } = this.#limits;
    const leave = this.enter();
    // Otherwise nginx collects events before it passes them on.
    c.header('X-Accel-Buffering', 'no');
    return streamSSE(c, async (sse) => {
      const gone = new AbortController();
      const end = () => gone.abort();
      sse.onAbort(end);
      const closing = c.env?.closing;
      if (closing?.aborted) end();
      closing?.addEventListener('abort', end);
      let beat = ': keep-alive\n\n';
      let writes = 0;
      let since = 0;
      const write = async (text: string) => {
        if (writes++ === 0) since = performance.now();
        await sse.write(text);
        writes--;
        since = performance.now();
      };
      const endWithoutRight = () => {
        if (c.var.principal && this.#gate?.stands(c.var.principal) === false) gone.abort();
      };
      const unwatch = this.#gate?.ring.onChange(endWithoutRight);
      const timer = setInterval(() => {
        endWithoutRight();
        if (writes === 0) void write(beat);
        else if (performance.now() - since > stalledMs) {
          gone.abort();
          (c.env as Partial<HttpBindings> | undefined)?.outgoing?.destroy();
        }
      }, beatMs);
      const reach = (id: number) => {
        beat = `id: ${id}\n\n`;
      };
      const send: Listener['send'] = ({ id, type, json }) => {
        reach(id);
        return write(json === undefined ? beat : `event: ${type}\ndata: ${json}\nid: ${id}\n\n`);
      };
      try {
        await work({ gone: gone.signal, send, reach });
      } finally {
        clearInterval(timer);
        closing?.removeEventListener('abort', end);
        unwatch?.();
        leave();
      }
    });
  }
}
