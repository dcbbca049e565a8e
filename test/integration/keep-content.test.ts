import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { deleteErasedDocuments } from '../../src/activities/erased-documents.ts';
import { type BroughtIn, keepContent } from '../../src/activities/keep-content.ts';
import { LIMITS } from '../../src/contracts/budgets.ts';
import { sha256 } from '../../src/domain/record/hash.ts';
import { postgresContent } from '../../src/store/content/postgres-content.ts';
import { openBlobs } from '../world/content-world.ts';
import { openTestDatabase } from '../world/world.ts';

let database: Awaited<ReturnType<typeof openTestDatabase>>;
let kept: Awaited<ReturnType<typeof openBlobs>>;
beforeAll(async () => {
  [database, kept] = await Promise.all([openTestDatabase('embedded'), openBlobs()]);
});
afterAll(() => Promise.all([database.close(), kept.close()]));

it('keeps one document of each content, however often it is brought in', async () => {
  const { db } = database;
  const content = postgresContent(db);
  const page = { type: 'web', url: 'https://site.test/', title: 'Tides', author: null, language: null } as const;
  const bring = async (id: string, text: string, body: string) => {
    const given: BroughtIn = { ...page, id, published_at: null, tags: [], text, source: { kind: 'html', body } };
    await keepContent({ db, content, blobs: kept.blobs }, given);
  };
  const documents = async () => {
    await deleteErasedDocuments(db, { content, blobs: kept.blobs });
    return (await readdir(join(kept.directory, 'sources'))).toSorted();
  };
  const named = (...bodies: string[]) => bodies.map((body) => `${sha256(body)}.html`).toSorted();
  await bring('web:one', 'The moon.', 'first');
  await bring('web:one', 'The moon.', 'second');
  expect(await documents()).toEqual(named('first'));
  await bring('web:one', 'The sun.', 'third');
  expect(await documents()).toEqual(named('third'));
  // Another content came from the same document.
  await bring('web:two', 'The sun.', 'third');
  await bring('web:one', 'The sea.', 'fourth');
  expect(await documents()).toEqual(named('third', 'fourth'));
});

it('cuts what a page says about itself, and leaves no half of a character', async () => {
  const { db } = database;
  const long = `${'x'.repeat(LIMITS.content.titleCharacters - 1)}😀${'x'.repeat(3_000_000)}`;
  const kept500 = `${'x'.repeat(LIMITS.content.titleCharacters - 1)}\ufffd`;
  const given: BroughtIn = {
    ...{ id: 'web:long', type: 'web', url: 'https://site.test/', title: long, author: long, language: long },
    ...{ published_at: null, tags: [], text: 'The moon.', source: { kind: 'html', body: 'long' } },
  };
  const content = postgresContent(db);
  expect(await keepContent({ db, content, blobs: kept.blobs }, given)).toMatchObject({
    ...{ title: kept500, author: kept500, language: 'x'.repeat(35) },
  });
});

it('deletes the other documents of erased contents where one cannot be deleted, and says so', async () => {
  const { db } = database;
  for (const name of ['a', 'b', 'c'])
    await db`INSERT INTO content_sources ${db({ content_id: name, blob_key: `sources/${name}`, erased: true })}`;
  const deleted: string[] = [];
  const blobs = {
    deleteDrafts: async () => {},
    delete: async (key: string) => {
      if (key === 'sources/b') throw new Error('S3 answered 403 AccessDenied');
      deleted.push(key);
    },
  };
  await expect(deleteErasedDocuments(db, { content: postgresContent(db), blobs })).rejects.toThrow('AccessDenied');
  expect(deleted.toSorted()).toEqual(['sources/a', 'sources/c']);
});
