import { join, resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { CONTENT_STORES, type ContentStoreKind } from '../contracts/content/content-settings.ts';
import { readSettings, type Settings } from '../contracts/settings.ts';
import { contentCapabilitiesOf } from '../domain/content/content-capabilities.ts';
import { BlobChanged, type Blobs, directoryBlobs } from '../integrations/blobs.ts';
import { UserError } from '../laptop/user-error.ts';
import type { ContentDocument } from '../store/content/content-document.ts';
import type { ContentStore } from '../store/content/content-store.ts';
import { databaseFault } from '../store/database.ts';
import { digestOf } from './backup-files.ts';
import { bucketBlobs } from './content.ts';
import { openContentStore } from './content-store.ts';
import { withRecord } from './record-database.ts';

const PLACES = [...CONTENT_STORES, 's3', 'directory'] as const;
type Place = (typeof PLACES)[number];

/** How many contents are listed at once. */
const BATCH = 100;
const SAY_EVERY_MS = 5_000;

/** Runs `hapax content move`: copies content from one store to another. */
export async function moveContent(to: string, environment: NodeJS.ProcessEnv): Promise<void> {
  const place = PLACES.find((one) => one === to);
  if (!place) throw new UserError(`--to needs one of ${PLACES.join(', ')}`);
  const settings = readSettings(environment, 'content');
  const faults = await withRecord(settings, { role: settings.DATABASE_ROLE, shared: true }, async (db) => {
    const isStore = (CONTENT_STORES as readonly string[]).includes(place);
    const from = await openContentStore(settings, db);
    try {
      if (!isStore) return await moveBlobs(from, settings, place);
      return await moveContents(from, await openContentStore(settings, db, place as ContentStoreKind));
    } catch (error) {
      const fault = databaseFault(error);
      if (fault?.kind !== 'away') throw error;
      throw new UserError(`${fault.store} cannot be used: ${fault.message}; run the same command again`);
    } finally {
      await from.close();
    }
  });
  for (const fault of faults) console.log(fault);
  if (faults.length > 0) throw new UserError(`${faults.length} could not be verified: see the lines above`);
  console.log(NEXT[place]);
}

const NEXT: Record<Place, string> = {
  postgres: 'all verified; now set CONTENT_STORE=postgres and start Hapax',
  surrealdb: 'all verified; now set CONTENT_STORE=surrealdb and start Hapax',
  s3: 'all verified; now start Hapax with S3_BUCKET',
  directory: 'all verified; now start Hapax without S3_BUCKET',
};

async function moveContents(from: ContentStore, to: ContentStore): Promise<string[]> {
  if (from.kind === to.kind) {
    throw new UserError(`content is in ${from.kind} now, as CONTENT_STORE says; nothing was moved`);
  }
  const faults: string[] = [];
  const ids = new Set<string>();
  const [source, target] = [from, to].map(({ kind }) => contentCapabilitiesOf(kind).name);
  const count = { contents: 0, chunks: 0, embeddings: 0, summaries: 0, copied: 0, refused: 0 };
  const say = eachFewSeconds(() => `${count.contents} contents, ${count.copied} of them copied`);
  try {
    await to.check();
    const withoutVectors = await to.whyNoVectors();
    if (withoutVectors) console.error(`hapax: embeddings are left out, because ${withoutVectors}`);
    for await (const id of idsOf(from)) {
      ids.add(id);
      const read = await from.read(id);
      // Nobody removes content, but another Hapax may replace it meanwhile.
      if (!read) continue;
      const document = withoutVectors ? { ...read, embeddings: [] } : read;
      if (!isSame(document, await to.read(id))) {
        const refusal = await refusalOf(to.put(document));
        count[refusal === undefined ? 'copied' : 'refused']++;
        const isEqual = refusal === undefined && isSame(document, await to.read(id));
        if (!isEqual) faults.push(`${id}: ${refusal ?? `differs in ${target}`}`);
      }
      count.contents++;
      count.chunks += document.chunks.length;
      count.embeddings += document.embeddings.length;
      count.summaries += document.summaries.length;
      say();
    }
    for await (const id of idsOf(to)) {
      if (ids.has(id)) continue;
      const erase = `to erase it, set CONTENT_STORE=${to.kind}, start Hapax, and run hapax erase content:${id}`;
      faults.push(`${id}: is in ${target} but not in ${source}, which may have erased it; ${erase}`);
    }
  } finally {
    await to.close();
  }
  const { contents, chunks, embeddings, summaries, copied, refused } = count;
  console.log(`${contents} contents, ${chunks} chunks, ${embeddings} embeddings, ${summaries} summaries`);
  console.log(`${copied} contents copied, ${contents - copied - refused} were there already`);
  return faults;
}

/** Returns why a store can never keep a content; undefined if it keeps it. Another content may still fit. */
async function refusalOf(put: Promise<void>): Promise<string | undefined> {
  try {
    await put;
    return undefined;
  } catch (error) {
    const fault = databaseFault(error);
    if (fault?.kind !== 'values') throw error;
    return fault.message;
  }
}

async function* idsOf(store: ContentStore): AsyncGenerator<string> {
  for (let after = ''; ; ) {
    const ids = await store.listIds(after, BATCH);
    yield* ids;
    const last = ids.at(-1);
    if (last === undefined) return;
    after = last;
  }
}

/** Says whether two contents are equal. Compares vectors by the 32 bits of a number that Postgres keeps. */
function isSame(one: ContentDocument, other: ContentDocument | undefined): boolean {
  const rounded = ({ embeddings, ...rest }: ContentDocument) => ({
    ...structuredClone(rest),
    embeddings: embeddings.map(({ embedding, ...made }) => ({ ...made, embedding: embedding.map(Math.fround) })),
  });
  return other !== undefined && isDeepStrictEqual(rounded(one), rounded(other));
}

async function moveBlobs(contents: ContentStore, settings: Settings, place: Place): Promise<string[]> {
  const { S3_BUCKET: bucket } = settings;
  if (bucket === undefined)
    throw new UserError(`--to ${place}: set S3_BUCKET, the bucket to copy ${place === 's3' ? 'to' : 'from'}`);
  const directory = directoryBlobs(join(resolve(settings.HAPAX_HOME), 'blobs'));
  const [from, to] =
    place === 's3' ? [directory, bucketBlobs(settings, bucket)] : [bucketBlobs(settings, bucket), directory];
  const faults: string[] = [];
  const count = { documents: 0, copied: 0 };
  const say = eachFewSeconds(() => `${count.documents} documents, ${count.copied} of them copied`);
  for (const key of await contents.listBlobKeys()) {
    const outcome = await moveBlob(key, from, to).catch((error: Error) => {
      throw new UserError(`${key}: ${error.message}; run the same command again`);
    });
    count.documents++;
    if (outcome === 'copied') count.copied++;
    else if (outcome !== 'there') faults.push(`${key}: ${outcome}`);
    say();
  }
  const there = count.documents - count.copied - faults.length;
  console.log(`${count.documents} documents: ${count.copied} copied, ${there} were there already`);
  return faults;
}

/** Copies a document, and checks it by the digest in its key. */
async function moveBlob(key: string, from: Blobs, to: Blobs): Promise<'copied' | 'there' | string> {
  const read = async (blobs: Blobs) => {
    const body = await blobs.get(key).catch((error: unknown) => {
      if (error instanceof BlobChanged) return 'changed' as const;
      throw error;
    });
    return body instanceof Buffer && !key.includes(digestOf(body)) ? 'changed' : body;
  };
  if ((await read(to)) instanceof Buffer) return 'there';
  const body = await read(from);
  if (body === undefined) return 'is missing';
  if (body === 'changed') return 'was changed, and is not copied';
  await to.put(key, body);
  return (await read(to)) instanceof Buffer ? 'copied' : 'differs after the copy';
}

function eachFewSeconds(line: () => string): () => void {
  let next = Date.now() + SAY_EVERY_MS;
  return () => {
    if (Date.now() < next) return;
    next = Date.now() + SAY_EVERY_MS;
    console.error(`hapax: ${line()} ...`);
  };
}
