import { mkdir, mkdtemp, readdir, rm, stat, utimes } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { type Blobs, directoryBlobs } from '../../src/integrations/blobs.ts';
import { startFreezingProxy } from '../world/freezing-proxy.ts';
import { BUILD_TIMEOUT_MS, HAS_GO } from '../world/go-tools.ts';
import { describeWith } from '../world/required-programs.ts';
import { startS3Server } from '../world/s3-server.ts';
import { steadyPort } from '../world/steady-port.ts';
import { startTamperingProxy } from '../world/tampering-proxy.ts';

const BODY = `Naïve “text” 😀\r\n${'x'.repeat(300_000)}`;

/** What must hold wherever blobs are. */
function hold(open: () => Blobs): void {
  it('are read as they were written, once or often', async () => {
    const blobs = open();
    expect(await blobs.get('sources/none.txt')).toBeUndefined();
    await Promise.all(Array.from({ length: 5 }, () => blobs.put('sources/a b+c.txt', BODY)));
    expect((await blobs.get('sources/a b+c.txt'))?.toString()).toBe(BODY);
    await blobs.put('sources/empty.txt', '');
    expect(await blobs.get('sources/empty.txt')).toEqual(Buffer.alloc(0));
    await blobs.put('sources/bytes', Buffer.from([0, 255, 128]));
    expect(await blobs.get('sources/bytes')).toEqual(Buffer.from([0, 255, 128]));
  });

  it('are read in part', async () => {
    const blobs = open();
    const body = Buffer.from(BODY);
    await blobs.put('sources/long.txt', body);
    for (const [from, to] of [
      [0, 1],
      [5, 20],
      [body.length - 3, body.length + 100],
      [body.length, body.length + 10],
    ] as const) {
      const part = await blobs.get('sources/long.txt', { from, to });
      expect(part?.toString('hex')).toBe(body.subarray(from, to).toString('hex'));
    }
    expect(await blobs.get('sources/none.txt', { from: 0, to: 1 })).toBeUndefined();
  });

  it('are deleted, once or often, and no others', async () => {
    const blobs = open();
    for (const key of ['sources/gone a+b.txt', 'sources/gone']) await blobs.put(key, 'x');
    await Promise.all(Array.from({ length: 3 }, () => blobs.delete('sources/gone a+b.txt')));
    expect(await blobs.get('sources/gone a+b.txt')).toBeUndefined();
    expect((await blobs.get('sources/gone'))?.toString()).toBe('x');
    await blobs.delete('sources/never-there');
  });
}

describe('blobs in a directory', () => {
  let directory: string;
  beforeAll(async () => {
    directory = await mkdtemp(join(tmpdir(), 'hapax-blobs-'));
  });
  afterAll(() => rm(directory, { recursive: true, force: true }));

  hold(() => directoryBlobs(join(directory, 'files')));

  it.each([
    ['private', 0o700, 0o600],
    ['public', 0o755, 0o644],
  ] as const)('are for whom they are meant: %s', async (access, folderMode, fileMode) => {
    const umask = process.umask(0o022);
    onTestFinished(() => void process.umask(umask));
    const root = join(directory, access);
    await directoryBlobs(root, access).put('tile/0/000', 'x');
    const modeOf = async (path: string) => (await stat(join(root, path))).mode & 0o777;
    expect([await modeOf(''), await modeOf('tile/0'), await modeOf('tile/0/000')]).toEqual([
      folderMode,
      folderMode,
      fileMode,
    ]);
  });

  it('are freed of what killed processes left an hour ago, and of nothing else', async () => {
    const root = join(directory, 'drafts');
    const blobs = directoryBlobs(root);
    await blobs.deleteDrafts();
    for (const key of ['a.html', 'a.html.17.x1y2', 'b.html.17.x1y2']) await blobs.put(`sources/${key}`, 'x');
    const longAgo = new Date(Date.now() - 2 * 3_600_000);
    for (const name of ['a.html', 'a.html.17.x1y2']) await utimes(join(root, 'sources', name), longAgo, longAgo);
    await blobs.deleteDrafts();
    expect((await readdir(join(root, 'sources'))).toSorted()).toEqual(['a.html', 'b.html.17.x1y2']);
  });

  it('leave nothing half written', async () => {
    const blobs = directoryBlobs(join(directory, 'whole'));
    await Promise.all(Array.from({ length: 10 }, (_, index) => blobs.put(`sources/${index}`, 'x')));
    // Where the document cannot be, as on a full disk.
    await mkdir(join(directory, 'whole', 'sources', 'taken'));
    await expect(blobs.put('sources/taken', 'x')).rejects.toThrow();
    expect((await readdir(join(directory, 'whole', 'sources'))).toSorted()).toEqual([...'0123456789', 'taken']);
  });
});

describeWith({ Go: HAS_GO }, 'blobs in an S3 server', () => {
  let server: Awaited<ReturnType<typeof startS3Server>>;
  beforeAll(async () => {
    server = await startS3Server();
  }, BUILD_TIMEOUT_MS);
  afterAll(() => server.close());

  hold(() => server.blobs());

  it('say what is wrong: key, secret, bucket, server', async () => {
    const stranger = server.blobs({ accessKeyId: 'nobody' });
    for (const refused of [() => stranger.get('k'), () => stranger.put('k', 'x'), () => stranger.delete('k')]) {
      await expect(refused()).rejects.toThrow('S3 answered 404 XAdminUserNotFound');
    }
    await expect(server.blobs({ secretAccessKey: 'wrong' }).get('k')).rejects.toThrow(
      'S3 answered 403 SignatureDoesNotMatch',
    );
    const missing = server.blobs({ bucket: 'none' });
    await expect(missing.get('k')).rejects.toThrow('S3 answered 404 NoSuchBucket');
    await expect(missing.put('k', 'x')).rejects.toThrow('S3 answered 404 NoSuchBucket');
    await expect(missing.delete('k')).rejects.toThrow('S3 answered 404 NoSuchBucket');
    const nowhere = server.blobs({ endpoint: `http://127.0.0.1:${await steadyPort()}` });
    await expect(nowhere.put('k', 'x')).rejects.toThrow('S3 does not answer (ECONNREFUSED)');
  });

  it('are not kept where they were changed on the way, and not read', async () => {
    const proxy = await startTamperingProxy(server.port);
    onTestFinished(() => proxy.close());
    const blobs = server.blobs({ endpoint: `http://127.0.0.1:${proxy.port}` });
    const body = 'The moon pulls at the sea.';
    proxy.change('moon', 'm00n');
    await expect(blobs.put('sources/moon.txt', body)).rejects.toThrow(/^S3 answered 400 \w+/);
    expect(await server.blobs().get('sources/moon.txt')).toBeUndefined();
    await server.blobs().put('sources/moon.txt', body);
    await expect(blobs.get('sources/moon.txt')).rejects.toThrow('S3 gave a document that is not the one');
    expect((await server.blobs().get('sources/moon.txt'))?.toString()).toBe(body);
  });

  it('are refused where there is no room, and kept when there is', async () => {
    const full = await startS3Server({ fileKilobytes: 64 });
    onTestFinished(() => full.close());
    await expect(full.blobs().put('sources/long.txt', BODY)).rejects.toThrow(/^S3 answered 5\d\d/);
    expect(await full.blobs().get('sources/long.txt')).toBeUndefined();
    await full.blobs().put('sources/short.txt', 'x');
    expect((await full.blobs().get('sources/short.txt'))?.toString()).toBe('x');
  });

  it('are given up where the server is too slow, before and within its response', async () => {
    const proxy = await startFreezingProxy(server.port);
    onTestFinished(() => proxy.close());
    await server.blobs().put('sources/slow.txt', BODY);
    const slow = server.blobs({ endpoint: `http://127.0.0.1:${proxy.port}`, timeoutMs: 500 });
    proxy.freezeAfter(Buffer.from('HTTP/1.1 200'));
    await expect(slow.get('sources/slow.txt')).rejects.toThrow('S3 does not answer');
    await expect(slow.put('sources/slow.txt', BODY)).rejects.toThrow('S3 does not answer (TimeoutError)');
  });
});
