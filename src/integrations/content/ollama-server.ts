import { z } from 'zod';
import { PermanentTaskError, RetryableTaskError } from '../../domain/tasks/task-error.ts';
import { fetchFault } from '../fetch-fault.ts';
import { TextRefused } from './embedding-model.ts';

const errorAnswer = z.object({
  error: z.union([z.string(), z.object({ message: z.string() }).transform((error) => error.message)]),
});
const showAnswer = z
  .object({ model_info: z.record(z.string(), z.unknown()), parameters: z.string(), details: z.object({}) })
  .partial()
  .refine((answer) => Object.keys(answer).length > 0);
const tagsAnswer = z.object({
  models: z.array(z.object({ name: z.string(), model: z.string().optional(), digest: z.string().min(1) })),
});

const DESCRIBE_TIMEOUT_MS = 10_000;

/** Thrown if a text has more tokens than the model reads at once. */
export class InputTooLong extends Error {
  override readonly name = 'InputTooLong';
}

/** How Ollama, llama.cpp and their substitutes say that a text is too long. */
const TOO_LONG =
  /context (?:length|size|window)|maximum (?:context|input|sequence)|(?:input|prompt|text)[^.]{0,40}too (?:long|large|many)|too many (?:input )?tokens|exceeds?[^.]{0,40}(?:context|tokens)|physical batch size/i;

/** How Ollama says that the vector of a text is no number. It says so each time. */
const NO_VECTOR = /unsupported value: NaN/;

/** A server's description of a model. Undefined: it does not say. */
export interface DescribedModel {
  /** Digest of its files. */
  revision: string | undefined;
  /** Tokens that it can read at once. */
  contextTokens: number | undefined;
  /** Tokens that it reads at once unless a request sets another number. */
  presetTokens: number | undefined;
}

/** Client of an Ollama server's HTTP API. It has too few requests to need a client library. */
export class OllamaServer {
  readonly #url: string;
  readonly #headers: Record<string, string>;

  constructor(root: string) {
    // fetch refuses URLs with credentials.
    const url = new URL(root);
    const { username, password } = url;
    const credentials = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`);
    const authorization = username || password ? { authorization: `Basic ${credentials.toString('base64')}` } : {};
    this.#headers = { 'content-type': 'application/json', ...authorization };
    url.username = '';
    url.password = '';
    this.#url = url.href.replace(/\/+$/, '');
  }

  /**
   * Sends a request that a model handles.
   * @throws {InputTooLong} if the model refuses the text because of its length.
   * @throws {PermanentTaskError} if it can never succeed, {@link RetryableTaskError} if it may succeed later.
   */
  async post<Answer>(
    path: string,
    body: object,
    form: z.ZodType<Answer>,
    signal: AbortSignal,
    timeoutMs: number,
  ): Promise<Answer> {
    const { response, text } = await this.#send('POST', path, body, signal, timeoutMs);
    if (!response.ok) throw refusal(response.status, text);
    const read = form.safeParse(parse(text));
    if (!read.success) throw modelUnavailable(`Ollama answered ${path} with something else than it promises`);
    return read.data;
  }

  /**
   * Returns what the server says about a model.
   * @throws {RetryableTaskError} if it does not say now. Without the digest, vectors of two models would count as those of one.
   */
  async describe(model: string, signal: AbortSignal): Promise<DescribedModel> {
    // The empty input is for servers that handle all paths alike: they have nothing to do.
    const asked = { model, input: [], prompt: '' };
    const { status, text } = await this.#describing('POST', '/api/show', asked, signal);
    const show = showAnswer.safeParse(parse(text));
    // A server without this path may have the next one. A server that responds with something else is not Ollama.
    const revision = show.success || status === 404 ? await this.#digestOf(model, signal) : undefined;
    return { revision, ...contextOf(show.data ?? {}) };
  }

  async #describing(method: 'GET' | 'POST', path: string, body: object | undefined, signal: AbortSignal) {
    const { response, text } = await this.#send(method, path, body, signal, DESCRIBE_TIMEOUT_MS);
    const { status } = response;
    if (status === 429 || status >= 500) throw refusal(status, text);
    return { status, text };
  }

  async #digestOf(model: string, signal: AbortSignal): Promise<string | undefined> {
    const { text } = await this.#describing('GET', '/api/tags', undefined, signal);
    const names = new Set([model.toLowerCase(), `${model.toLowerCase()}:latest`]);
    const models = tagsAnswer.safeParse(parse(text)).data?.models ?? [];
    const found = models.find(({ name, model: also = name }) =>
      [name, also].some((one) => names.has(one.toLowerCase())),
    );
    return found?.digest.replace(/^sha256:/, '').slice(0, 16);
  }

  async #send(method: 'GET' | 'POST', path: string, body: object | undefined, signal: AbortSignal, timeoutMs: number) {
    try {
      const response = await fetch(this.#url + path, {
        method,
        headers: this.#headers,
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
        signal: AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]),
      });
      return { response, text: await response.text() };
    } catch (error) {
      throw modelUnavailable(`Ollama does not answer (${fetchFault(error)})`, error);
    }
  }
}

function contextOf({ model_info = {}, parameters = '' }: z.output<typeof showAnswer>) {
  const [, made] = Object.entries(model_info).find(([name]) => name.endsWith('.context_length')) ?? [];
  const contextTokens = typeof made === 'number' && made > 0 ? made : undefined;
  const preset = Number(/^num_ctx\s+(\d+)/m.exec(parameters)?.[1]) || contextTokens;
  return { contextTokens, presetTokens: preset && Math.min(preset, contextTokens ?? preset) };
}

function refusal(status: number, text: string): Error {
  const said = errorAnswer.safeParse(parse(text)).data?.error ?? text.slice(0, 200);
  if (status === 413 || (status >= 400 && TOO_LONG.test(said))) return new InputTooLong(said);
  const message = `Ollama answered ${status}: ${said}`;
  if (status === 500 && NO_VECTOR.test(said)) return new TextRefused(message);
  // 404: the model is missing; the message says what to do. 400: it cannot do this. Neither changes by itself.
  if (status === 404 || status === 400) return new PermanentTaskError({ type: 'ModelRefused', message });
  return modelUnavailable(message);
}

export function modelUnavailable(message: string, cause?: unknown): RetryableTaskError {
  return new RetryableTaskError({ type: 'ModelUnavailable', message, cause });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
