import pino from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { processContent } from '../../src/activities/process-content.ts';
import { Ollama } from '../../src/integrations/content/ollama.ts';
import { startContentSweep } from '../../src/processes/content-sweep.ts';
import { queryEmbedder } from '../../src/processes/query-embedder.ts';
import type { ContentStore } from '../../src/store/content/content-store.ts';
import { answerSearch } from '../../src/store/content/search-answer.ts';
import { type OpenStore, openContentStore, STORES_WITH_VECTORS } from '../world/content-stores.ts';
import { attempt, saveText } from '../world/content-world.ts';
import { eventually } from '../world/eventually.ts';
import { startOllamaStandIn } from '../world/ollama-stand-in.ts';

const signal = new AbortController().signal;

describe.each(STORES_WITH_VECTORS)('content of yesterday in %s', (name) => {
  const inPostgres = name === 'embedded Postgres';
  let store: OpenStore;
  let content: ContentStore;
  let ollama: Awaited<ReturnType<typeof startOllamaStandIn>>;
  let sweep: ReturnType<typeof startContentSweep> | undefined;
  beforeAll(async () => {
    [store, ollama] = await Promise.all([openContentStore(name), startOllamaStandIn()]);
    content = store.content;
  });
  beforeEach(() => {
    ollama.embedded.length = 0;
    ollama.installed.set('nomic-embed-text', { digest: 'sha256:old', contextTokens: 8_192, dimensions: 384 });
    ollama.installed.set('bge-m3', { digest: 'sha256:other', contextTokens: 8_192, dimensions: 1_024 });
  });
  afterEach(async () => {
    await sweep?.stop();
    sweep = undefined;
    await (store.surreal ? store.surreal.query('DELETE chunk; DELETE embedding') : store.db`DELETE FROM chunks`);
  });
  afterAll(() => Promise.all([store.close(), ollama.close()]));

  const embedding = (name = 'nomic-embed-text') => new Ollama(ollama.url).embeddingModel(name);
  const start = (model?: string) => {
    sweep = startContentSweep({
      db: store.db,
      content,
      embedding: model === undefined ? undefined : embedding(model),
      log: pino({ level: 'silent' }),
      everyMs: 50,
      claimMs: 100,
    });
  };
  const embed = (id: string, model = embedding()) =>
    processContent(
      { content, embedding: model, summary: undefined },
      { content_id: id, operations: ['embed'] },
      attempt(),
    );
  const embedded = async (id: string) => (await content.findDetail(id, false))?.embedded;
  /** The search of a process that has asked which model it is. */
  const search = async (query: string, name = 'nomic-embed-text') => {
    const model = embedding(name);
    const { revision } = await model.identify(signal);
    const embedQuery = async (text: string) => {
      const [values = []] = await model.embed([text], 'query', signal);
      return { model: model.name, revision, values };
    };
    return (await answerSearch(content, embedQuery, { query, limit: 10 })).results.map(({ content_id }) => content_id);
  };

  it.runIf(inPostgres)('is found by the words of an earlier version, and then by those of all scripts', async () => {
    await saveText(content, 'web:early', '今天我们学习如何在家里烤面包。 Baking at home.', 'Bread');
    await store.db`
      UPDATE chunks SET words_form = 1, words = setweight(to_tsvector('english', 'Bread'), 'A') || to_tsvector('english', text)`;
    const found = async (query: string) =>
      (await answerSearch(content, undefined, { query, limit: 10 })).results.map(({ content_id }) => content_id);
    expect([await found('bake'), await found('面包')]).toEqual([['web:early'], []]);
    start();
    await eventually(async () => expect(await found('面包')).toEqual(['web:early']));
    expect(await found('bread')).toEqual(['web:early']);
  });

  it('is found by its words when the model is another, and by meaning once its vectors are made again', async () => {
    await saveText(content, 'web:one', 'A kite rises against the wind.');
    await saveText(content, 'web:two', 'Bread is baked of flour.');
    await embed('web:one');
    expect(await search('kite and other words', 'bge-m3')).toEqual(['web:one']);
    start('bge-m3');
    await eventually(async () => {
      expect(await embedded('web:one')).toEqual([
        { model: 'ollama/bge-m3', chunks: 1 },
        { model: 'ollama/nomic-embed-text', chunks: 1 },
      ]);
    });
    // Nobody has asked for vectors of this one.
    expect(await embedded('web:two')).toEqual([]);
  });

  it('has its vectors made again when a model was replaced under its name, also while it runs', async () => {
    await saveText(content, 'web:replaced', 'The sea. '.repeat(300));
    await embed('web:replaced');
    start('nomic-embed-text');
    const chunks = ollama.embedded.length;
    await eventually(async () => expect(await claims()).toBeGreaterThan(0));
    expect(ollama.embedded).toHaveLength(chunks);
    ollama.installed.set('nomic-embed-text', { digest: 'sha256:new', contextTokens: 8_192, dimensions: 384 });
    await eventually(() => expect(ollama.embedded).toHaveLength(2 * chunks));
    await eventually(async () => expect(await revisions('web:replaced')).toEqual(['new']));
    await sweep?.stop();
    expect(await embed('web:replaced')).toEqual({ embed: 'completed' });
    expect(ollama.embedded).toHaveLength(2 * chunks);
  });

  it('has its vectors made again behind one that the model never makes a vector of, or fails at', async () => {
    const texts = {
      'web:a': 'Bad words.',
      'web:b': 'Broken words.',
      'web:c': `${'Good words. '.repeat(100)} Bad words.`,
    };
    for (const [id, text] of Object.entries(texts)) {
      await saveText(content, id, text);
      await embed(id);
    }
    const model = { digest: 'sha256:new', contextTokens: 8_192, dimensions: 384 };
    ollama.installed.set('nomic-embed-text', { ...model, noVectorOf: 'Bad' });
    // The first answers are for the first content, alone, and for the second one.
    ollama.faults.push({ status: 500, body: { error: 'json: unsupported value: NaN' } }, { status: 503, body: 'busy' });
    start('nomic-embed-text');
    await eventually(async () => expect(await revisions('web:c')).toContain('new'));
    expect(await revisions('web:a')).toEqual(['old']);
  });

  it('is claimed as long as one worker works on it, however long a content takes', async () => {
    await saveText(content, 'web:slow', 'A kite rises.');
    await embed('web:slow');
    ollama.installed.set('nomic-embed-text', { digest: 'sha256:new', contextTokens: 8_192, dimensions: 384 });
    const answering = Promise.withResolvers<void>();
    ollama.held.push(answering.promise);
    start('nomic-embed-text');
    await eventually(() => expect(ollama.held).toHaveLength(0));
    for (let renewed = 0; renewed < 3; renewed++) {
      const before = await claimedAt();
      await eventually(async () => expect(await claimedAt()).not.toEqual(before));
    }
    answering.resolve();
    await eventually(async () => expect(await revisions('web:slow')).toEqual(['new']));
  });

  it('is left as it is while the server does not say which model it has', async () => {
    await saveText(content, 'web:unsaid', 'A kite rises.');
    await embed('web:unsaid');
    for (const [path, answer] of [
      ['/api/show', { status: 503, body: 'busy' }],
      ['/api/tags', { status: 500, body: 'busy' }],
      ['/api/tags', 'reset'],
    ] as const) {
      ollama.instead.set(path, answer);
      await expect(embed('web:unsaid')).rejects.toMatchObject({ name: 'RetryableTaskError', type: 'ModelUnavailable' });
      ollama.instead.clear();
    }
    expect(await revisions('web:unsaid')).toEqual(['old']);
  });

  it('is searched by a model that takes long to load, once it is loaded', async () => {
    await saveText(content, 'web:cold', 'A kite rises.');
    const loading = Promise.withResolvers<void>();
    ollama.held.push(loading.promise);
    const embedQuery = queryEmbedder(embedding(), { waitMs: 50 });
    await expect(embedQuery('first')).rejects.toThrow('has not responded within 0.05 s');
    await expect(embedQuery('second')).rejects.toThrow('has not responded');
    loading.resolve();
    await eventually(async () => expect((await embedQuery('third')).values).toHaveLength(384));
    expect(ollama.embedded.map((text) => text.replace(/.* /, ''))).toEqual(['first', 'third']);
  });

  it('is not compared with a model that was replaced under its name', async () => {
    await saveText(content, 'web:compared', 'A kite rises.');
    await embed('web:compared');
    expect(await search('rises')).toEqual(['web:compared']);
    expect(await search('unsaid words')).toEqual(['web:compared']);
    ollama.installed.set('nomic-embed-text', { digest: 'sha256:new', contextTokens: 8_192, dimensions: 384 });
    expect(await search('unsaid words')).toEqual([]);
    expect(await search('rises')).toEqual(['web:compared']);
    await embed('web:compared');
    expect(await search('unsaid words')).toEqual(['web:compared']);
  });

  it('has vectors of the right length, also if the server names no digest', async () => {
    await saveText(content, 'web:length', 'A kite rises.');
    const unnamed = { digest: '', contextTokens: 8_192 };
    ollama.installed.set('nomic-embed-text', { ...unnamed, dimensions: 384 });
    await embed('web:length');
    ollama.installed.set('nomic-embed-text', { ...unnamed, dimensions: 512 });
    await embed('web:length');
    expect(ollama.embedded.filter((text) => text.includes('kite'))).toHaveLength(2);
    expect(await search('unsaid words')).toEqual(['web:length']);
  });

  it('has a summary of the model that stands behind the name now, when one is asked for', async () => {
    await saveText(content, 'web:summary', 'The sea.');
    const summary = new Ollama(ollama.url).summaryModel('llama3.2');
    const summarize = () =>
      processContent(
        { content, embedding: undefined, summary },
        { content_id: 'web:summary', operations: ['summarize'] },
        attempt(),
      );
    await summarize();
    await summarize();
    expect(ollama.prompts).toHaveLength(1);
    ollama.installed.set('llama3.2', { digest: 'sha256:new', contextTokens: 8_192, dimensions: 0, says: 'Anew.' });
    await summarize();
    expect((await content.findDetail('web:summary', false))?.summaries).toMatchObject([{ text: 'Anew.' }]);
    // An earlier version kept the thoughts.
    await (store.surreal
      ? store.surreal.query("UPDATE summary SET text = '<think>Hm.</think>The sea.'")
      : store.db`UPDATE summaries SET text = '<think>Hm.</think>The sea.'`);
    expect((await content.findDetail('web:summary', false))?.summaries).toMatchObject([{ text: 'The sea.' }]);
  });

  const claims = async () => {
    const [row] = await store.db<
      Array<{ count: number }>
    >`SELECT count(*)::integer AS count FROM content_sweeps WHERE swept_at > 'epoch'`;
    return row?.count;
  };
  const claimedAt = async () => {
    const [row] = await store.db<Array<{ at: string }>>`SELECT swept_at::text AS at FROM content_sweeps`;
    return row?.at;
  };
  const revisions = async (id: string) => {
    const [found] =
      (await store.surreal?.query<[string[]]>(
        'array::distinct(SELECT VALUE revision FROM embedding WHERE content = $id)',
        { id },
      )) ?? [];
    if (found) return found;
    const rows = await store.db<Array<{ revision: string }>>`
      SELECT DISTINCT revision FROM embeddings JOIN chunks ON chunks.id = chunk_id WHERE content_id = ${id}`;
    return rows.map(({ revision }) => revision);
  };
});
