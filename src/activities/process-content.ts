import type { TaskArguments } from '../contracts/tasks/task-signatures.ts';
import { piecesOf } from '../domain/content/chunk.ts';
import { PermanentTaskError } from '../domain/tasks/task-error.ts';
import { type EmbeddingModel, type SummaryModel, TextRefused } from '../integrations/content/embedding-model.ts';
import type { ContentRow } from '../store/content/content-row.ts';
import type { ContentStore } from '../store/content/content-store.ts';
import type { TaskContext } from './task-handlers.ts';

export interface ProcessDependencies {
  content: ContentStore;
  /** Undefined if none is configured. */
  embedding: EmbeddingModel | undefined;
  summary: SummaryModel | undefined;
}

type Context = Pick<TaskContext, 'signal' | 'heartbeat'>;
type Operation = TaskArguments['process_content']['operations'][number];

/** The longest text that is summarized at once: a summary of more says little. */
const PART_CHARACTERS = 12_000;
/** The longest summary of a part. If a model says more than it was asked for, the rest is cut. */
const PART_SUMMARY_CHARACTERS = 2_000;
/** The longest title before each chunk, in characters. */
const TITLE_CHARACTERS = 100;

/**
 * Embeds or summarizes content. Does not repeat what this task or another did before: vectors and summaries are saved as
 * soon as they are made, per version of the content and model.
 */
export async function processContent(
  deps: ProcessDependencies,
  { content_id: id, operations }: TaskArguments['process_content'],
  context: Context,
): Promise<Partial<Record<Operation, 'completed'>>> {
  const found = await deps.content.find(id);
  if (!found) throw new PermanentTaskError({ type: 'ContentNotFound', message: `there is no content ${id}` });
  const results: Partial<Record<Operation, 'completed'>> = {};
  for (const operation of new Set(operations)) {
    if (operation === 'embed') await embed(deps, found, context);
    else await summarize(deps, found, context);
    results[operation] = 'completed';
  }
  return results;
}

/** Makes the vectors that a content lacks, and replaces those that another model of the same name made. */
export async function embed(
  { content, embedding }: Pick<ProcessDependencies, 'content' | 'embedding'>,
  { id, title }: Pick<ContentRow, 'id' | 'title'>,
  { signal, heartbeat }: Context,
): Promise<void> {
  if (!embedding) throw unable('no embedding model is configured: set OLLAMA_URL');
  const missing = await content.whyNoVectors();
  if (missing !== undefined) throw unable(`${missing}, so it keeps no vectors`);
  const maker = { model: embedding.name, ...(await embedding.identify(signal)) };
  let refused: TextRefused | undefined;
  for (let embedded = 0, after = 0; ; ) {
    signal.throwIfAborted();
    const chunks = await content.listUnembeddedChunks(id, maker, { after, limit: embedding.batch });
    if (chunks.length === 0) break;
    after = chunks.at(-1)?.seq ?? after;
    // With the title, the model can tell what a chunk from the middle is about.
    const about = title.slice(0, TITLE_CHARACTERS).toWellFormed();
    const texts = chunks.map(({ text }) => `${about}\n${text}`);
    const vectors = await vectorsOf(embedding, texts, signal);
    const made = chunks.flatMap((chunk, index) => {
      const vector = vectors[index];
      if (vector instanceof TextRefused) refused = vector;
      return vector === undefined || vector instanceof TextRefused ? [] : [{ chunk_id: chunk.id, embedding: vector }];
    });
    await content.saveEmbeddings(maker, made);
    embedded += made.length;
    heartbeat({ embedded });
  }
  if (refused === undefined) return;
  const has = (await content.findDetail(id, false))?.embedded.some(({ model }) => model === embedding.name);
  // One of many pieces may be left out, since the words find it. A model that refuses all of them is at fault.
  if (!has) throw refused;
}

/** Returns a vector for each text, or why the model never makes one. */
async function vectorsOf(
  embedding: EmbeddingModel,
  texts: string[],
  signal: AbortSignal,
): Promise<Array<number[] | TextRefused>> {
  try {
    return await embedding.embed(texts, 'document', signal);
  } catch (error) {
    if (!(error instanceof TextRefused)) throw error;
    if (texts.length < 2) return [error];
    const middle = texts.length >> 1;
    const first = await vectorsOf(embedding, texts.slice(0, middle), signal);
    return [...first, ...(await vectorsOf(embedding, texts.slice(middle), signal))];
  }
}

async function summarize(
  { content, summary }: ProcessDependencies,
  { id, version }: Pick<ContentRow, 'id' | 'version'>,
  { signal, heartbeat }: Context,
) {
  if (!summary) throw unable('no model for summaries is configured: set OLLAMA_URL');
  const { revision, inputTokens } = await summary.identify(signal);
  const limits = { characters: PART_CHARACTERS, tokens: inputTokens };
  const keyOf = (part: number) => ({ content_id: id, version, model: summary.name, part });
  if ((await content.findSummary(keyOf(0), revision)) !== undefined) return;
  const summaryOf = async (part: number, text: string): Promise<string> => {
    const key = keyOf(part);
    const known = await content.findSummary(key, revision);
    if (known !== undefined) return known;
    signal.throwIfAborted();
    const made = await summary.summarize(text, signal);
    await content.saveSummary(key, { text: made, revision });
    heartbeat({ summarized: part });
    return made;
  };
  // A long text is summarized from the summaries of its parts. If these are too long together, they are summarized once more.
  let parts = piecesOf((await content.listChunkTexts(id, version)).join(''), limits);
  const summaryLimits = { characters: PART_SUMMARY_CHARACTERS, tokens: Math.ceil(inputTokens / 3) };
  for (let part = 1; parts.length > 1; ) {
    const summaries: string[] = [];
    for (const text of parts) summaries.push(piecesOf(await summaryOf(part++, text), summaryLimits)[0] ?? '');
    parts = piecesOf(summaries.join('\n\n'), limits);
  }
  await summaryOf(0, parts.join(''));
}

function unable(message: string): PermanentTaskError {
  return new PermanentTaskError({ type: 'NotConfigured', message });
}
