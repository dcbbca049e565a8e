import { setTimeout as delay } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { type ProcessDependencies, processContent } from '../../src/activities/process-content.ts';
import { LocalModel } from '../../src/integrations/content/local-model.ts';
import { Ollama } from '../../src/integrations/content/ollama.ts';
import type { ContentStore } from '../../src/store/content/content-store.ts';
import { answerSearch } from '../../src/store/content/search-answer.ts';
import { type OpenStore, openContentStore, STORES_WITH_VECTORS } from '../world/content-stores.ts';
import { attempt, faultOf, saveText } from '../world/content-world.ts';
import { eventually } from '../world/eventually.ts';
import { startOllamaStandIn, tokensOf } from '../world/ollama-stand-in.ts';
import { steadyPort } from '../world/steady-port.ts';

const LONG = 'One sentence about the sea. '.repeat(1_600);
const never = new AbortController().signal;

describe.each(STORES_WITH_VECTORS)('process_content with %s', (name) => {
  let store: OpenStore;
  let content: ContentStore;
  let ollama: Awaited<ReturnType<typeof startOllamaStandIn>>;
  let deps: ProcessDependencies;
  beforeAll(async () => {
    [store, ollama] = await Promise.all([openContentStore(name), startOllamaStandIn()]);
    content = store.content;
  });
  beforeEach(() => {
    for (const list of [ollama.embedded, ollama.prompts, ollama.faults, ollama.held, ollama.calls]) list.length = 0;
    for (const model of ['nomic-embed-text', 'llama3.2']) {
      ollama.installed.set(model, { digest: `${model} one`, contextTokens: 8_192, dimensions: 384 });
    }
    const client = new Ollama(ollama.url);
    deps = {
      content,
      embedding: client.embeddingModel('nomic-embed-text'),
      summary: client.summaryModel('llama3.2'),
    };
  });
  afterAll(() => Promise.all([store.close(), ollama.close()]));

  const detail = (id: string) => content.findDetail(id, false);
  const process = (id: string, operations: Array<'embed' | 'summarize'>, context = attempt()) =>
    processContent(deps, { content_id: id, operations }, context);

  it('makes a vector of each chunk, in batches, and tells how far it is', async () => {
    await saveText(content, 'web:embed', LONG, 'The sea');
    const context = attempt();
    expect(await process('web:embed', ['embed'], context)).toEqual({ embed: 'completed' });
    const found = await detail('web:embed');
    expect(found?.chunks).toBeGreaterThan(40);
    expect(found?.embedded).toEqual([{ model: 'ollama/nomic-embed-text', chunks: found?.chunks }]);
    expect(ollama.embedded).toHaveLength(found?.chunks ?? 0);
    expect(ollama.embedded[0]).toMatch(/^search_document: The sea\nOne sentence about the sea\./);
    expect(context.told.at(-1)).toEqual({ embedded: found?.chunks });
    expect(context.told.length).toBe(Math.ceil((found?.chunks ?? 0) / 16));
  });

  it('sends the user and password of OLLAMA_URL', async () => {
    await saveText(content, 'web:credentials', 'Short.');
    const client = new Ollama(ollama.url.replace('//', '//us%20er:p%40ss@'));
    deps = { ...deps, embedding: client.embeddingModel('nomic-embed-text') };
    expect(await process('web:credentials', ['embed'])).toEqual({ embed: 'completed' });
    const sent = `Basic ${Buffer.from('us er:p@ss').toString('base64')}`;
    expect(ollama.calls.at(-1)?.headers.authorization).toBe(sent);
  });

  it('does nothing twice', async () => {
    await saveText(content, 'web:twice', 'Short.');
    await process('web:twice', ['embed', 'summarize', 'embed']);
    const [embedded, prompts] = [ollama.embedded.length, ollama.prompts.length];
    expect(await process('web:twice', ['summarize', 'embed'])).toEqual({ embed: 'completed', summarize: 'completed' });
    expect([ollama.embedded.length, ollama.prompts.length]).toEqual([embedded, prompts]);
  });

  it('goes on where it was broken off: nothing but the batch that was out is done again', async () => {
    await saveText(content, 'web:broken', LONG);
    // The third batch is answered after the attempt was stopped.
    ollama.held.push(Promise.resolve(), Promise.resolve());
    const stop = new AbortController();
    let release = () => {};
    ollama.held.push(new Promise((resolve) => (release = resolve)));
    const first = process('web:broken', ['embed'], attempt({ signal: stop.signal }));
    await eventually(() => expect(ollama.embedded).toHaveLength(32));
    await eventually(async () => expect((await detail('web:broken'))?.embedded[0]?.chunks).toBe(32));
    await delay(0);
    stop.abort();
    release();
    expect(await faultOf(first)).toHaveProperty('message');
    await process('web:broken', ['embed']);
    const chunks = (await detail('web:broken'))?.chunks ?? 0;
    expect((await detail('web:broken'))?.embedded[0]?.chunks).toBe(chunks);
    expect(ollama.embedded.length - chunks).toBeLessThanOrEqual(16);
  });

  it('summarizes a long text by its parts, each once', async () => {
    await saveText(content, 'web:long', LONG);
    ollama.faults.push({ status: 200, body: { model: 'x', response: 'First part.' } });
    expect(await process('web:long', ['summarize'])).toEqual({ summarize: 'completed' });
    const parts = Math.ceil(LONG.length / 12_000);
    // One answer was given instead of the model's; the last prompt is of the summaries.
    expect(ollama.prompts).toHaveLength(parts);
    expect(ollama.prompts.at(-1)).toMatch(/^First part\.\n\nSummary 1: One sentence/);
    const summary = { model: 'ollama/llama3.2', text: expect.stringContaining('First part.') };
    expect((await detail('web:long'))?.summaries).toMatchObject([summary]);
  });

  const sea = {
    English: LONG.slice(0, 12_000),
    Chinese: '月球的引力牵引着海水，于是每天有两次涨潮和两次落潮。'.repeat(150),
    Japanese: '月の引力が海を引くので、一日に二度の満潮がある'.repeat(150),
    Korean: '달의 인력이 바닷물을 끌어당겨 하루에 두 번 밀물이 든다. '.repeat(100),
    Thai: 'ดวงจันทร์ดึงดูดน้ำทะเลจึงมีน้ำขึ้นวันละสองครั้ง'.repeat(80),
    Arabic: 'يجذب القمر مياه البحر فيحدث المد مرتين في اليوم '.repeat(80),
    emoji: '🌊🌝👩‍🚀'.repeat(400),
    'one gigantic word': 'sea'.repeat(3_000),
    'many scripts': '月 moon луна قمر चाँद 🌝 달 '.repeat(160),
  };

  it.each(Object.entries(sea))('fits a text into the context of a model: %s', async (script, text) => {
    const id = `web:fits ${script}`;
    await saveText(content, id, text);
    for (const [model, contextTokens] of [
      ['nomic-embed-text', 64],
      ['llama3.2', 1_024],
    ] as const) {
      ollama.installed.set(model, { digest: 'small', contextTokens, dimensions: 384 });
    }
    expect(await process(id, ['embed', 'summarize'])).toEqual({ embed: 'completed', summarize: 'completed' });
    const found = await detail(id);
    expect(found?.embedded[0]?.chunks).toBe(found?.chunks);
    expect(ollama.embedded.every((piece) => tokensOf(piece) <= 100)).toBe(true);
    const generated = ollama.calls
      .filter(({ url }) => url.pathname === '/api/generate')
      .map(({ body }) => JSON.parse(body));
    expect(new Set(generated.map(({ options }) => options.num_ctx))).toEqual(new Set([1_024]));
    for (const { system, prompt } of generated) expect(tokensOf(system) + tokensOf(prompt)).toBeLessThan(1_024);
    // Nothing is left out: the first prompts are the text.
    expect(generated.map(({ prompt }) => prompt).join('')).toContain(text.slice(0, 20_000));
    expect(found?.summaries).toHaveLength(1);
  });

  it('cuts smaller what a model refuses although it should fit', async () => {
    await saveText(content, 'web:refused', sea.Chinese.slice(0, 150));
    const refused = { status: 500, body: { error: 'input is too large to process. increase the physical batch size' } };
    ollama.faults.push(refused, refused);
    expect(await process('web:refused', ['embed'])).toEqual({ embed: 'completed' });
    expect((await detail('web:refused'))?.embedded[0]?.chunks).toBe(1);
    expect(ollama.embedded.length).toBeGreaterThan(2);
    // A server that cuts a prompt fills the context with what is left.
    ollama.faults.push({ body: { response: 'Half.', prompt_eval_count: 8_192 } });
    expect(await process('web:refused', ['summarize'])).toEqual({ summarize: 'completed' });
    expect((await detail('web:refused'))?.summaries[0]?.text).toBe(
      ollama.prompts.map((prompt, index) => `Summary ${index + 1}: ${prompt.trim()}`).join('\n\n'),
    );
  });

  it('keeps of an answer the summary alone, and of nothing but thoughts no summary', async () => {
    const says = (text: string) =>
      ollama.installed.set('llama3.2', { digest: 'r1', contextTokens: 4_096, dimensions: 0, says: text });
    await saveText(content, 'web:thinks', LONG);
    says('<think>\nA long text.\n</think>\n\nHere is the summary:\n```\nThe sea.\n```');
    expect(await process('web:thinks', ['summarize'])).toEqual({ summarize: 'completed' });
    expect((await detail('web:thinks'))?.summaries[0]?.text).toBe('The sea.');
    expect(ollama.prompts.at(-1)).toMatch(/^(The sea\.\s*)+$/);
    await saveText(content, 'web:only thinks', 'The moon.');
    says('<think>\nLet me see');
    expect(await faultOf(process('web:only thinks', ['summarize']))).toMatchObject({
      type: 'ModelUnavailable',
      message: 'llama3.2 answered with nothing but its thoughts, twice',
    });
    expect((await detail('web:only thinks'))?.summaries).toEqual([]);
  });

  it.each([
    ['is not there', 'web:none', ['embed'], {}, { name: 'PermanentTaskError', type: 'ContentNotFound' }],
    ['has no model for it', 'web:f', ['embed'], { embedding: undefined }, { type: 'NotConfigured' }],
    ['has no model for it', 'web:f', ['summarize'], { summary: undefined }, { type: 'NotConfigured' }],
    [
      'has a model that Ollama has not',
      'web:f',
      ['embed'],
      'absent',
      { name: 'PermanentTaskError', message: 'Ollama answered 404: model "absent" not found, try pulling it first' },
    ],
    ['finds no Ollama', 'web:f', ['embed'], 'nowhere', { name: 'RetryableTaskError', type: 'ModelUnavailable' }],
  ] as const)('says whether trying again helps where it %s', async (_, id, operations, given, fault) => {
    await saveText(content, 'web:f', 'Short.');
    if (given === 'absent') deps = { ...deps, embedding: new Ollama(ollama.url).embeddingModel('absent') };
    else if (given === 'nowhere') {
      const nowhere = new Ollama(`http://127.0.0.1:${await steadyPort()}`);
      deps = { ...deps, embedding: nowhere.embeddingModel('nomic-embed-text') };
    } else deps = { ...deps, ...given };
    expect(await faultOf(process(id, [...operations]))).toMatchObject(fault);
  });

  it.each([
    ['an error', { status: 500, body: { error: 'llama runner process has terminated' } }],
    ['no JSON', { body: '<html>' }],
    ['too few vectors', { body: { embeddings: [] } }],
    ['a broken connection', 'reset'],
  ] as const)('tries again where Ollama answers with %s, and then works', async (what, answer) => {
    const id = `web:${what}`;
    await saveText(content, id, 'Short.');
    ollama.faults.push(answer);
    expect(await faultOf(process(id, ['embed']))).toMatchObject({
      name: 'RetryableTaskError',
      type: 'ModelUnavailable',
    });
    expect(await process(id, ['embed'])).toEqual({ embed: 'completed' });
  });

  it('is what a search by meaning finds; without the model it goes by words and says so', async () => {
    await saveText(content, 'web:kite', 'A kite rises against the wind.');
    await process('web:kite', ['embed']);
    const embedQuery = async (text: string) => ({
      model: deps.embedding?.name ?? '',
      values: (await deps.embedding?.embed([text], 'query', never))?.[0] ?? [],
    });
    const args = { query: 'kite wind', limit: 3 };
    const found = await answerSearch(content, embedQuery, args);
    expect(found).toMatchObject({ query: 'kite wind', method: 'hybrid', model: 'ollama/nomic-embed-text' });
    expect(found.results[0]).toMatchObject({ content_id: 'web:kite', snippet: 'A kite rises against the wind.' });
    expect(ollama.embedded.at(-1)).toBe('search_query: kite wind');
    ollama.faults.push({ status: 500, body: { error: 'out of memory' } });
    const lexical = await answerSearch(content, embedQuery, args);
    expect(lexical).toMatchObject({
      method: 'lexical',
      model: null,
      note: 'by words only: Ollama answered 500: out of memory',
    });
    expect(lexical.results.map(({ content_id }) => content_id)).toEqual(['web:kite']);
    expect(await answerSearch(content, undefined, args)).toMatchObject({
      method: 'lexical',
      note: expect.stringContaining('OLLAMA_URL'),
    });
  });
});

describe('the local model', () => {
  it('means much the same by texts that do, is loaded by the first text and gives its memory back when idle', async () => {
    const model = new LocalModel({ idleMs: 100 });
    expect(model.loaded).toBe(false);
    const [one = [], other = [], far = []] = await model.embed(
      ['The king rules his country.', 'A monarch governs the land.', 'My bicycle has a flat tyre.'],
      'document',
      never,
    );
    const cosine = (a: number[], b: number[]) => a.reduce((sum, value, index) => sum + value * (b[index] ?? 0), 0);
    expect(one).toHaveLength(512);
    expect(cosine(one, one)).toBeCloseTo(1, 3);
    expect(cosine(one, other)).toBeGreaterThan(cosine(one, far) + 0.2);
    await eventually(() => expect(model.loaded).toBe(false));
    expect((await model.embed(['The king rules his country.'], 'query', never))[0]).toEqual(one);
    await model.close();
  });

  it('lets a query pass what only has to be done', async () => {
    const model = new LocalModel();
    await model.embed(['warm'], 'query', never);
    const order: string[] = [];
    const documents = model
      .embed(new Array(20).fill('Words of a document. '.repeat(10)), 'document', never)
      .then(() => order.push('documents'));
    const query = model.embed(['words'], 'query', never).then(() => order.push('query'));
    await Promise.all([documents, query]);
    expect(order).toEqual(['query', 'documents']);
    await model.close();
  });
});
