import { createHash } from 'node:crypto';
import { type Answer, type Asked, startStandIn } from './http-stand-in.ts';

const LENGTH = 384;

/** Words of a text counted into a vector: texts with the same words lie close. Deterministic, and no model. */
export function wordVector(text: string, length = LENGTH): number[] {
  const vector = new Array<number>(length).fill(0);
  for (const word of text.toLowerCase().match(/[a-z]+/g) ?? []) {
    const hash = createHash('md5').update(word).digest();
    const at = hash.readUInt16LE(0) % length;
    vector[at] = (vector[at] ?? 0) + 1;
  }
  const norm = Math.hypot(...vector) || 1;
  return vector.map((value) => value / norm);
}

/** About as a tokenizer of a small model counts: a token for four characters of ASCII, else one for each character. */
export function tokensOf(text: string): number {
  return Math.ceil([...text].reduce((sum, character) => sum + (character < '\u0080' ? 0.25 : 1), 0));
}

/** A model that the stand-in has. */
export interface InstalledModel {
  /** Empty: the server does not name it. */
  digest: string;
  /** Tokens that it reads at once. */
  contextTokens: number;
  /** Length of its vectors. */
  dimensions: number;
  /** What it says, whatever is asked; a summary if undefined. */
  says?: string;
  /** It makes no vector of texts with this word. */
  noVectorOf?: string;
}

interface Request {
  model?: string;
  input?: string | string[];
  prompt?: string;
  system?: string;
  stream?: boolean;
  truncate?: boolean;
  options?: { num_ctx?: number };
}

/** Ollama's HTTP API as far as it is used, with the models it has and what it does wrong. */
export async function startOllamaStandIn(models = ['nomic-embed-text', 'llama3.2']) {
  const installed = new Map<string, InstalledModel>(
    models.map((name) => [name, { digest: `${name} one`, contextTokens: 8_192, dimensions: LENGTH }]),
  );
  const embedded: string[] = [];
  const prompts: string[] = [];
  const faults: Answer[] = [];
  const held: Array<Promise<void>> = [];
  const instead = new Map<string, Answer>();
  const calls: Asked[] = [];
  const server = await startStandIn(async (call) => {
    calls.push(call);
    const asked = JSON.parse(call.body || '{}') as Request;
    const path = `${call.method} ${call.url.pathname}`;
    const other = instead.get(call.url.pathname);
    if (other) return other;
    if (path === 'GET /api/tags') {
      const named = [...installed].filter(([, { digest }]) => digest !== '');
      return { body: { models: named.map(([name, { digest }]) => ({ name: `${name}:latest`, digest })) } };
    }
    const model = installed.get(asked.model ?? '');
    const unknown = { status: 404, body: { error: `model "${asked.model}" not found, try pulling it first` } };
    if (path === 'POST /api/show') {
      const info = { 'general.architecture': 'stand-in', 'stand-in.context_length': model?.contextTokens };
      return model ? { body: { details: {}, model_info: info, parameters: 'stop "<s>"' } } : unknown;
    }
    await held.shift();
    const fault = faults.shift();
    if (fault) return fault;
    if (!model) return unknown;
    if (path === 'POST /api/embed') return embed(model, asked);
    if (path === 'POST /api/generate') return generate(model, asked);
    return { status: 404, body: '404 page not found' };
  });

  const tooLong: Answer = { status: 400, body: { error: 'the input length exceeds the context length' } };

  function embed(
    { contextTokens, dimensions, noVectorOf }: InstalledModel,
    { model, input, truncate }: Request,
  ): Answer {
    const texts = [input ?? []].flat();
    if (truncate === false && texts.some((text) => tokensOf(text) > contextTokens)) return tooLong;
    if (noVectorOf !== undefined && texts.some((text) => text.includes(noVectorOf)))
      return { status: 500, body: { error: 'failed to encode response: json: unsupported value: NaN' } };
    embedded.push(...texts);
    const embeddings = texts.map((text) => wordVector(text, dimensions));
    return { body: { model, embeddings, total_duration: 1, load_duration: 1 } };
  }

  function generate({ contextTokens, says }: InstalledModel, asked: Request): Answer {
    const { model, prompt = '', system = '', stream, truncate, options } = asked;
    if (stream !== false) return { status: 400, body: { error: 'the stand-in does not stream' } };
    const context = Math.min(options?.num_ctx ?? 4_096, contextTokens);
    const count = tokensOf(system) + tokensOf(prompt);
    if (truncate === false && count > context) return tooLong;
    prompts.push(prompt);
    const words = prompt.split(/\s+/).slice(0, 5).join(' ');
    const response = says ?? `Summary ${prompts.length}: ${words}`;
    return { body: { model, response, done: true, done_reason: 'stop', prompt_eval_count: Math.min(count, context) } };
  }

  return {
    ...server,
    /** The models that it has; tests replace them. */
    installed,
    /** Every text that a vector was made of, in order. */
    embedded,
    prompts,
    /** Every request, in order. */
    calls,
    /** The next requests to a model are answered with these instead. */
    faults,
    /** The next requests to a model wait for these. */
    held,
    /** What these paths answer instead. */
    instead,
  };
}
