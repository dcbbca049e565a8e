import { createHash } from 'node:crypto';
import { type Answer, type Asked, startStandIn } from './http-stand-in.ts';

const LENGTH = 384;

/** Words of a text counted into a vector: texts with the same words lie close. Deterministic, and no model. */
export function wordVector(text: string): number[] {
  const vector = new Array<number>(LENGTH).fill(0);
  for (const word of text.toLowerCase().match(/[a-z]+/g) ?? []) {
    const hash = createHash('md5').update(word).digest();
    const at = hash.readUInt16LE(0) % LENGTH;
    vector[at] = (vector[at] ?? 0) + 1;
  }
  const norm = Math.hypot(...vector) || 1;
  return vector.map((value) => value / norm);
}

/** Ollama's HTTP API as far as it is used, with the models it has and what it does wrong. */
export async function startOllamaStandIn(models = ['nomic-embed-text', 'llama3.2']) {
  const embedded: string[] = [];
  const prompts: string[] = [];
  const faults: Answer[] = [];
  const held: Array<Promise<void>> = [];
  const calls: Asked[] = [];
  const server = await startStandIn(async (call) => {
    calls.push(call);
    const { method, url, body } = call;
    const asked = JSON.parse(body || '{}') as {
      model?: string;
      input?: string | string[];
      prompt?: string;
      stream?: boolean;
    };
    await held.shift();
    const fault = faults.shift();
    if (fault) return fault;
    if (!models.includes(asked.model ?? '')) {
      return { status: 404, body: { error: `model "${asked.model}" not found, try pulling it first` } };
    }
    switch (`${method} ${url.pathname}`) {
      case 'POST /api/embed': {
        const input = [asked.input ?? []].flat();
        embedded.push(...input);
        return { body: { model: asked.model, embeddings: input.map(wordVector), total_duration: 1, load_duration: 1 } };
      }
      case 'POST /api/generate': {
        if (asked.stream !== false) return { status: 400, body: { error: 'the stand-in does not stream' } };
        prompts.push(asked.prompt ?? '');
        const words = (asked.prompt ?? '').split(/\s+/).slice(0, 5).join(' ');
        return {
          body: {
            model: asked.model,
            response: `Summary ${prompts.length}: ${words}`,
            done: true,
            done_reason: 'stop',
          },
        };
      }
      default:
        return { status: 404, body: '404 page not found' };
    }
  });
  return {
    ...server,
    /** Every text that a vector was made of, in order. */
    embedded,
    prompts,
    /** Every request, in order. */
    calls,
    /** The next requests are answered with these instead. */
    faults,
    /** The next requests wait for these. */
    held,
  };
}
