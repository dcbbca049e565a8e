import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { AwsClient } from 'aws4fetch';
import { fetchFault } from './fetch-fault.ts';

/** Keeps documents as they came. A key names one content for ever, so that writing it again changes nothing. */
export interface Blobs {
  put(key: string, body: string | Uint8Array): Promise<void>;
  /** Undefined where there is none. */
  get(key: string): Promise<string | undefined>;
}

/** Blobs as files below a directory. */
export function directoryBlobs(directory: string): Blobs {
  return {
    async put(key, body) {
      const path = join(directory, key);
      await mkdir(dirname(path), { recursive: true, mode: 0o700 });
      // Renamed into place, it is there in whole or not at all.
      const draft = `${path}.${process.pid}.${Math.random().toString(36).slice(2)}`;
      await writeFile(draft, body, { flush: true });
      await rename(draft, path);
    },
    async get(key) {
      try {
        return await readFile(join(directory, key), 'utf8');
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
        throw error;
      }
    },
  };
}

export interface S3Options {
  /** Root of the server, such as http://127.0.0.1:9000, without a slash at its end; buckets are addressed by path, as MinIO wants it. */
  endpoint: string;
  bucket: string;
  region: string;
  accessKeyId: string;
  secretAccessKey: string;
}

const TIMEOUT_MS = 30_000;

/** Blobs as objects of an S3 bucket (aws4fetch signs the requests; it repeats those answered with 5xx or 429). */
export function s3Blobs({ endpoint, bucket, region, accessKeyId, secretAccessKey }: S3Options): Blobs {
  const client = new AwsClient({ accessKeyId, secretAccessKey, region, service: 's3', retries: 3 });
  const url = (key: string) =>
    `${endpoint}/${encodeURIComponent(bucket)}/${key.split('/').map(encodeURIComponent).join('/')}`;
  const send = async (key: string, options: { method: string; body?: string | Uint8Array }) => {
    try {
      return await client.fetch(url(key), { ...options, signal: AbortSignal.timeout(TIMEOUT_MS) });
    } catch (error) {
      throw new Error(`S3 does not answer (${fetchFault(error)})`, { cause: error });
    }
  };
  return {
    async put(key, body) {
      const answer = await send(key, { method: 'PUT', body });
      if (!answer.ok) throw await refusal(answer);
    },
    async get(key) {
      const answer = await send(key, { method: 'GET' });
      if (answer.status === 404 && !(await isBucketMissing(answer.clone()))) return undefined;
      if (!answer.ok) throw await refusal(answer);
      return answer.text();
    },
  };
}

async function isBucketMissing(answer: Response): Promise<boolean> {
  return /<Code>NoSuchBucket<\/Code>/.test(await answer.text());
}

async function refusal(answer: Response): Promise<Error> {
  const code = /<Code>(\w+)<\/Code>/.exec(await answer.text())?.[1];
  return new Error(`S3 answered ${answer.status}${code ? ` ${code}` : ''}`);
}
