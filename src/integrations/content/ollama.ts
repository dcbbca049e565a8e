import { z } from 'zod';
import { piecesOf } from '../../domain/content/chunk.ts';
import { textOfAnswer } from '../../domain/content/model-answer.ts';
import { estimateTokens } from '../../domain/content/token-estimate.ts';
import { PermanentTaskError } from '../../domain/tasks/task-error.ts';
import type { EmbeddingModel, SummaryModel } from './embedding-model.ts';
import { InputTooLong, modelUnavailable, OllamaServer } from './ollama-server.ts';

const embedAnswer = z.object({ embeddings: z.array(z.array(z.number()).min(1)) });
const generateAnswer = z.object({
  response: z.string(),
  done_reason: z.string().optional(),
  prompt_eval_count: z.int().optional(),
});

/** Loading a model takes its time the first time. After that, this is generous. */
const EMBED_TIMEOUT_MS = 120_000;
const GENERATE_TIMEOUT_MS = 240_000;

/** Context size of a summary, if the model has that much. Ollama's default is smaller. */
const CONTEXT_TOKENS = 8_192;
/** The part of the context that the instruction and the model's template take. */
const INSTRUCTION_TOKENS = 100;
/** The part of the context that the answer may take: 150 words in the costliest script. */
const ANSWER_TOKENS = 600;
/** The share of the rest that is used. It is less than 1 because tokens are only estimated. */
const MARGIN = 0.8;

/** Prefixes that models require before a text (see their model cards). Ollama does not add them. */
const PREFIXES: ReadonlyArray<[model: RegExp, prefix: Record<'document' | 'query', string>]> = [
  [/^nomic-embed-text/, { document: 'search_document: ', query: 'search_query: ' }],
  [/^mxbai-embed/, { document: '', query: 'Represent this sentence for searching relevant passages: ' }],
];

const INSTRUCTION =
  'Summarize the text that the user gives in at most 150 words, in the language of the text. Answer with the summary alone.';

/** If a server names no digest, this text is embedded to learn the length of the vectors. */
const PROBE = 'The quick brown fox jumps over the lazy dog.';

/** The models of an Ollama server. */
export class Ollama {
  readonly #server: OllamaServer;

  /** @param root of the server, such as http://127.0.0.1:11434. A user and password in it become basic authentication. */
  constructor(root: string) {
    this.#server = new OllamaServer(root);
  }

  embeddingModel(model: string): EmbeddingModel {
    const prefixes = PREFIXES.find(([named]) => named.test(model))?.[1];
    let contextTokens = Number.POSITIVE_INFINITY;
    const embedAll = async (texts: string[], prefix: string, signal: AbortSignal): Promise<number[][]> => {
      const [text = ''] = texts;
      try {
        if (texts.length === 1 && estimateTokens(prefix + text) > contextTokens) throw new InputTooLong();
        // Without truncate: false, Ollama silently drops the end of a text that is too long.
        const body = { model, input: texts.map((one) => prefix + one), truncate: false };
        const { embeddings } = await this.#server.post('/api/embed', body, embedAnswer, signal, EMBED_TIMEOUT_MS);
        if (embeddings.length === texts.length) return embeddings;
        throw modelUnavailable(`Ollama gave ${embeddings.length} vectors for ${texts.length} texts`);
      } catch (error) {
        if (!(error instanceof InputTooLong)) throw error;
        if (texts.length === 1) return [meanOf(await embedEach(smallerPieces(text, model), prefix, signal))];
        return (await embedEach(halvesOf(texts), prefix, signal)).flatMap(({ vectors }) => vectors);
      }
    };
    const embedEach = async (groups: string[][], prefix: string, signal: AbortSignal) => {
      const made: Array<{ texts: string[]; vectors: number[][] }> = [];
      for (const texts of groups) made.push({ texts, vectors: await embedAll(texts, prefix, signal) });
      return made;
    };
    return {
      name: `ollama/${model}`,
      batch: 16,
      reads: () => true,
      identify: async (signal) => {
        const described = await this.#server.describe(model, signal);
        contextTokens = described.presetTokens ?? Number.POSITIVE_INFINITY;
        if (described.revision !== undefined) return { revision: described.revision, dimensions: undefined };
        const [probe] = await embedAll([PROBE], '', signal);
        return { revision: undefined, dimensions: probe?.length };
      },
      embed: (texts, purpose, signal) => embedAll(texts, prefixes?.[purpose] ?? '', signal),
      close: async () => {},
    };
  }

  summaryModel(model: string): SummaryModel {
    let contextTokens = CONTEXT_TOKENS;
    const generate = async (text: string, temperature: number, signal: AbortSignal) => {
      const options = { temperature, num_ctx: contextTokens };
      // Makes a full context an error, instead of dropping part of the text.
      const whole = { truncate: false, shift: false };
      const body = { model, system: INSTRUCTION, prompt: text, stream: false, think: false, ...whole, options };
      const answer = await this.#server.post('/api/generate', body, generateAnswer, signal, GENERATE_TIMEOUT_MS);
      // An older server cuts the prompt to the context, and counts the rest.
      if ((answer.prompt_eval_count ?? 0) >= contextTokens) throw new InputTooLong();
      const summary = textOfAnswer(answer.response);
      return answer.done_reason === 'length' && summary !== undefined ? wholeSentencesOf(summary) : summary;
    };
    const summarize = async (text: string, signal: AbortSignal): Promise<string> => {
      try {
        // At temperature 0, a model that returned nothing would return nothing again.
        const summary = (await generate(text, 0, signal)) ?? (await generate(text, 0.7, signal));
        if (summary !== undefined) return summary;
        throw modelUnavailable(`${model} answered with nothing but its thoughts, twice`);
      } catch (error) {
        if (!(error instanceof InputTooLong)) throw error;
        const summaries: string[] = [];
        for (const [piece = ''] of smallerPieces(text, model)) summaries.push(await summarize(piece, signal));
        return summaries.join('\n\n');
      }
    };
    return {
      name: `ollama/${model}`,
      identify: async (signal) => {
        const described = await this.#server.describe(model, signal);
        contextTokens = Math.min(CONTEXT_TOKENS, described.contextTokens ?? CONTEXT_TOKENS);
        const answerTokens = Math.min(ANSWER_TOKENS, contextTokens / 4);
        const inputTokens = Math.floor((contextTokens - answerTokens - INSTRUCTION_TOKENS) * MARGIN);
        return { revision: described.revision, inputTokens: Math.max(inputTokens, LEAST_INPUT_TOKENS) };
      },
      summarize,
    };
  }
}

/** A model with a smaller context is useless. It will say so itself. */
const LEAST_INPUT_TOKENS = 64;

/** Splits a text into pieces of about half its length. @throws {PermanentTaskError} if it is a single character. */
function smallerPieces(text: string, model: string): string[][] {
  const pieces = piecesOf(text, { characters: text.length, tokens: Math.ceil(estimateTokens(text) / 2) });
  if (pieces.length < 2) {
    const message = `${model} finds ${JSON.stringify(text.slice(0, 20))} too long for its context; use another model`;
    throw new PermanentTaskError({ type: 'ModelRefused', message });
  }
  return pieces.map((piece) => [piece]);
}

function halvesOf(texts: string[]): string[][] {
  const middle = texts.length >> 1;
  return [texts.slice(0, middle), texts.slice(middle)];
}

/** Returns the mean direction of several vectors, weighted by the length of their texts, as a vector of length 1. */
function meanOf(pieces: Array<{ texts: string[]; vectors: number[][] }>): number[] {
  const sum: number[] = [];
  for (const { texts, vectors } of pieces) {
    const [vector = []] = vectors;
    const share = estimateTokens(texts[0] ?? '') / (Math.hypot(...vector) || 1);
    for (const [index, value] of vector.entries()) sum[index] = (sum[index] ?? 0) + value * share;
  }
  const length = Math.hypot(...sum) || 1;
  return sum.map((value) => value / length);
}

const sentences = new Intl.Segmenter('en', { granularity: 'sentence' });

/** Removes the last sentence if it is incomplete and others remain. */
function wholeSentencesOf(text: string): string {
  const all = [...sentences.segment(text)];
  const last = all.at(-1);
  if (!last || all.length < 2 || /[.!?。！？।…]["'”’)\]]*$/.test(last.segment)) return text;
  return text.slice(0, last.index).trim();
}
