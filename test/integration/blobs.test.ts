import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import S3rver from 's3rver';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Blobs, directoryBlobs, s3Blobs } from '../../src/integrations/blobs.ts';
import { steadyPort } from '../world/steady-port.ts';

/** The only key pair that the S3 server of the tests knows. */
const KEYS = { accessKeyId: 'S3RVER', secretAccessKey: 'S3RVER' };

let directory: string;
let server: S3rver;
let endpoint: string;
beforeAll(async () => {
  directory = await mkdtemp(join(tmpdir(), 'hapax-blobs-'));
  const configureBuckets = [{ name: 'content', configs: [] }];
  server = new S3rver({
    address: '127.0.0.1',
    port: 0,
    silent: true,
    directory: join(directory, 's3'),
    configureBuckets,
  });
  endpoint = `http://127.0.0.1:${(await server.run()).port}`;
});
afterAll(async () => {
  await server.close();
  await rm(directory, { recursive: true, force: true });
});

const s3 = (given: Partial<Parameters<typeof s3Blobs>[0]> = {}) =>
  s3Blobs({ endpoint, bucket: 'content', region: 'us-east-1', ...KEYS, ...given });
const KINDS: Record<string, () => Blobs> = {
  'a directory': () => directoryBlobs(join(directory, 'files')),
  'an S3 server': () => s3(),
};

describe.each(Object.entries(KINDS))('blobs in %s', (_, open) => {
  it('are read as they were written, once or often', async () => {
    const blobs = open();
    const body = `Naïve “text” 😀\r\n${'x'.repeat(300_000)}`;
    expect(await blobs.get('sources/none.txt')).toBeUndefined();
    await Promise.all(Array.from({ length: 5 }, () => blobs.put('sources/a b+c.txt', body)));
    expect(await blobs.get('sources/a b+c.txt')).toBe(body);
    await blobs.put('sources/empty.txt', '');
    expect(await blobs.get('sources/empty.txt')).toBe('');
  });
});

describe('blobs', () => {
  it('in a directory leave nothing half written', async () => {
    const blobs = directoryBlobs(join(directory, 'whole'));
    await Promise.all(Array.from({ length: 10 }, (_, index) => blobs.put(`sources/${index}`, 'x')));
    expect((await readdir(join(directory, 'whole', 'sources'))).toSorted()).toEqual([...'0123456789']);
  });

  it('in S3 say what is wrong: key, bucket, server', async () => {
    await expect(s3({ accessKeyId: 'nobody' }).put('k', 'x')).rejects.toThrow('S3 answered 403 InvalidAccessKeyId');
    await expect(s3({ bucket: 'none' }).get('k')).rejects.toThrow('S3 answered 404 NoSuchBucket');
    const nowhere = s3({ endpoint: `http://127.0.0.1:${await steadyPort()}` });
    await expect(nowhere.put('k', 'x')).rejects.toThrow('S3 does not answer');
  });
});
