import { createHash } from 'node:crypto';
import { mkdir, open, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AwsClient } from 'aws4fetch';
import { fetchFault } from './fetch-fault.ts';

/** Stores original documents. A key stands for one content forever, so writing it again changes nothing. */
export interface Blobs {
  put(key: string, body: string | Uint8Array): Promise<void>;
  /**
   * Returns undefined if there is no such document.
   * @throws {BlobChanged} if the store notices that it has another one.
   * @param range the bytes from `from` up to, not including, `to`, as far as they exist; default: all.
   */
  get(key: string, range?: ByteRange): Promise<Buffer | undefined>;
  /** Does nothing if there is no such document. */
  delete(key: string): Promise<void>;
  /** Deletes the beginnings of documents that killed processes have left behind. */
  deleteDrafts(): Promise<void>;
}

/** Thrown if a store gives another document than it was given. */
export class BlobChanged extends Error {
  override readonly name = 'BlobChanged';
}

/** A range of at least one byte. */
export interface ByteRange {
  from: number;
  to: number;
}

/** Modes of directories and files: readable by their owner, or by everybody, such as the user of a web server. */
const MODES = {
  private: { folder: 0o700, file: 0o600 },
  public: { folder: 0o755, file: 0o644 },
} as const;

/** The name of a file that is being written: of a key, with the id of the process and a random text. */
const DRAFT = /\.\d+\.[a-z0-9]*$/;
/** No process writes one document for so long. */
const DRAFT_MS = 3_600_000;

/** Stores blobs as files below a directory. @param access who may read what it makes. */
export function directoryBlobs(directory: string, access: keyof typeof MODES = 'private'): Blobs {
  const modes = MODES[access];
  return {
    async put(key, body) {
      const path = join(directory, key);
      await mkdir(dirname(path), { recursive: true, mode: modes.folder });
      // Renaming makes the file appear as a whole or not at all.
      const draft = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
      try {
        await writeFile(draft, body, { mode: modes.file, flush: true });
        await rename(draft, path);
      } catch (error) {
        // On a full disk, each attempt would otherwise leave a partial file behind.
        await rm(draft, { force: true });
        throw error;
      }
    },
    async get(key, range) {
      try {
        const path = join(directory, key);
        return range ? await readRange(path, range) : await readFile(path);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
    delete: (key) => rm(join(directory, key), { force: true }),
    async deleteDrafts() {
      for (const name of await readdir(directory, { recursive: true }).catch(noneIfMissing)) {
        if (!DRAFT.test(name)) continue;
        const path = join(directory, name);
        const file = await stat(path).catch(() => undefined);
        if (file && file.mtimeMs < Date.now() - DRAFT_MS) await rm(path, { force: true });
      }
    },
  };
}

function noneIfMissing(error: NodeJS.ErrnoException): [] {
  if (error.code !== 'ENOENT') throw error;
  return [];
}

async function readRange(path: string, { from, to }: ByteRange): Promise<Buffer> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(to - from), 0, to - from, from);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

export interface S3Options {
  /** Root of the server, such as http://127.0.0.1:9000, without a slash at its end. Buckets are addressed by path, as MinIO requires. */
  endpoint: string;
  bucket: string;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
  /** Longest wait for a whole response; default 30 s. */
  timeoutMs?: number;
}

const TIMEOUT_MS = 30_000;

/**
 * Stores blobs as objects in an S3 bucket (aws4fetch signs the requests, and repeats those that get 5xx or 429). The server checks a
 * document by its SHA-256 and stores that with it. A document that is read as a whole is checked again.
 */
export function s3Blobs({ endpoint, bucket, timeoutMs = TIMEOUT_MS, ...credentials }: S3Options): Blobs {
  const client = new AwsClient({ ...credentials, service: 's3', retries: 3 });
  const url = (key: string) =>
    `${endpoint}/${encodeURIComponent(bucket)}/${key.split('/').map(encodeURIComponent).join('/')}`;
  /** Returns the response with its body, since the body may fail to arrive. */
  const send = async (
    key: string,
    options: { method: string; headers: Record<string, string>; body?: string | Uint8Array },
  ) => {
    try {
      const response = await client.fetch(url(key), { ...options, signal: AbortSignal.timeout(timeoutMs) });
      return { response, body: Buffer.from(await response.arrayBuffer()) };
    } catch (error) {
      throw new Error(`S3 does not answer (${fetchFault(error)})`, { cause: error });
    }
  };
  return {
    async put(key, given) {
      const { response, body } = await send(key, {
        method: 'PUT',
        headers: { [CHECKSUM]: checksumOf(given) },
        body: given,
      });
      if (!response.ok) throw refusal(response, body);
    },
    async get(key, range) {
      const headers = range ? { range: `bytes=${range.from}-${range.to - 1}` } : { 'x-amz-checksum-mode': 'ENABLED' };
      const { response, body } = await send(key, { method: 'GET', headers });
      // Other things can be missing too: the bucket, or a user.
      if (response.status === 404 && codeOf(body) === 'NoSuchKey') return undefined;
      // The document ends before the range starts.
      if (response.status === 416) return Buffer.alloc(0);
      if (!response.ok) throw refusal(response, body);
      if (range) return response.status === 206 ? body : body.subarray(range.from, range.to);
      const kept = response.headers.get(CHECKSUM);
      // For a document uploaded in parts, this is a checksum of the parts' checksums.
      if (kept !== null && !kept.includes('-') && kept !== checksumOf(body)) {
        throw new BlobChanged(`S3 gave a document that is not the one it was given: ${key}`);
      }
      return body;
    },
    async delete(key) {
      const { response, body } = await send(key, { method: 'DELETE', headers: {} });
      if (!response.ok && !(response.status === 404 && codeOf(body) === 'NoSuchKey')) throw refusal(response, body);
    },
    // A server keeps no part of a request that broke off.
    deleteDrafts: async () => {},
  };
}

const CHECKSUM = 'x-amz-checksum-sha256';

function checksumOf(body: string | Uint8Array): string {
  return createHash('sha256').update(body).digest('base64');
}

function codeOf(body: Buffer): string | undefined {
  return /<Code>(\w+)<\/Code>/.exec(body.toString())?.[1];
}

function refusal({ status }: Response, body: Buffer): Error {
  const code = codeOf(body);
  return new Error(`S3 answered ${status}${code ? ` ${code}` : ''}`);
}
