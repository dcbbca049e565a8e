import { z } from 'zod';
import { PermanentTaskError, RetryableTaskError } from '../domain/task-error.ts';
import type { EmbeddingModel, SummaryModel } from './embedding-model.ts';
import { fetchFault } from './fetch-fault.ts';

const embedAnswer = z.object({ embeddings: z.array(z.array(z.number()).min(1)) });
const generateAnswer = z.object({ response: z.string() });
const errorAnswer = z.object({ error: z.string() });

/** A model that is loaded first takes its time; after that, this is generous. */
const EMBED_TIMEOUT_MS = 120_000;
const GENERATE_TIMEOUT_MS = 240_000;
/** Tokens of a text and its summary: 12,000 characters are about 3,000. Ollama's default, 4,096, cuts without a word. */
const CONTEXT_TOKENS = 8_192;

/** What models want before a text (their model cards); Ollama adds nothing by itself. */
const PREFIXES: ReadonlyArray<[model: RegExp, prefix: Record<'document' | 'query', string>]> = [
  [/^nomic-embed-text/, { document: 'search_document: ', query: 'search_query: ' }],
  [/^mxbai-embed/, { document: '', query: 'Represent this sentence for searching relevant passages: ' }],
];

const INSTRUCTION =
  'Summarize the text that the user gives in at most 150 words, in the language of the text. Answer with the summary alone.';

/** An Ollama server (its HTTP API, which is two requests for us: no client library is worth it). */
export class Ollama {
  readonly #url: string;
  readonly #headers: Record<string, string>;

  /** @param root of the server, such as http://127.0.0.1:11434; a user and password in it become basic authentication. */
  constructor(root: string) {
    // fetch refuses a URL with credentials.
    const url = new URL(root);
    const { username, password } = url;
    const credentials = Buffer.from(`${decodeURIComponent(username)}:${decodeURIComponent(password)}`);
    const authorization = username || password ? { authorization: `Basic ${credentials.toString('base64')}` } : {};
    this.#headers = { 'content-type': 'application/json', ...authorization };
    url.username = '';
    url.password = '';
    this.#url = url.href.replace(/\/+$/, '');
  }

  embeddingModel(model: string): EmbeddingModel {
    const prefixes = PREFIXES.find(([named]) => named.test(model))?.[1];
    return {
      name: `ollama/${model}`,
      batch: 16,
      embed: async (texts, purpose, signal) => {
        const input = texts.map((text) => `${prefixes?.[purpose] ?? ''}${text}`);
        const { embeddings } = await this.#post('/api/embed', { model, input }, embedAnswer, signal, EMBED_TIMEOUT_MS);
        if (embeddings.length !== texts.length) {
          throw failed(`Ollama gave ${embeddings.length} vectors for ${texts.length} texts`);
        }
        return embeddings;
      },
      close: async () => {},
    };
  }

  summaryModel(model: string): SummaryModel {
    return {
      name: `ollama/${model}`,
      summarize: async (text, signal) => {
        const options = { temperature: 0, num_ctx: CONTEXT_TOKENS };
        const body = { model, system: INSTRUCTION, prompt: text, stream: false, options };
        const { response } = await this.#post('/api/generate', body, generateAnswer, signal, GENERATE_TIMEOUT_MS);
        if (response.trim() === '') throw failed(`${model} answered with nothing`);
        return response.trim();
      },
    };
  }

  async #post<Answer>(path: string, body: object, form: z.ZodType<Answer>, signal: AbortSignal, timeoutMs: number) {
    const response = await this.#fetch(path, body, AbortSignal.any([signal, AbortSignal.timeout(timeoutMs)]));
    const text = await response.text().catch(() => '');
    if (!response.ok) throw this.#refusal(response.status, text);
    const read = form.safeParse(parse(text));
    if (!read.success) throw failed(`Ollama answered ${path} with something else than it promises`);
    return read.data;
  }

  async #fetch(path: string, body: object, signal: AbortSignal): Promise<Response> {
    try {
      return await fetch(this.#url + path, {
        method: 'POST',
        headers: this.#headers,
        body: JSON.stringify(body),
        signal,
      });
    } catch (error) {
      throw failed(`Ollama does not answer (${fetchFault(error)})`, error);
    }
  }

  #refusal(status: number, text: string): Error {
    const said = errorAnswer.safeParse(parse(text)).data?.error ?? text.slice(0, 200);
    const message = `Ollama answered ${status}: ${said}`;
    // 404: the model is not there; the message names the remedy. 400: it cannot do this. Neither changes by itself.
    if (status === 404 || status === 400) return new PermanentTaskError({ type: 'ModelRefused', message });
    return failed(message);
  }
}

function failed(message: string, cause?: unknown): RetryableTaskError {
  return new RetryableTaskError({ type: 'ModelUnavailable', message, cause });
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
