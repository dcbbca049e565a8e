import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { s3Blobs } from '../../src/integrations/blobs.ts';
import { eventually } from './eventually.ts';
import { goTool } from './go-tools.ts';
import { serverProcess } from './server-process.ts';
import { steadyPort } from './steady-port.ts';

const KEYS = { accessKeyId: 'hapax-tests', secretAccessKey: 'a-secret-of-the-tests' };

/**
 * An S3 server of this test's own (Versity's gateway) with the bucket `content`, in a directory.
 * @param given.fileKilobytes no file may be longer: what is, meets a full disk.
 */
export async function startS3Server({ fileKilobytes }: { fileKilobytes?: number } = {}) {
  const program = await goTool('versitygw');
  const home = await mkdtemp(join(tmpdir(), 'hapax-s3-'));
  const port = await steadyPort();
  const directory = join(home, 'buckets');
  await mkdir(join(directory, 'content'), { recursive: true });
  const limit = fileKilobytes === undefined ? '' : `ulimit -f ${fileKilobytes}; trap "" XFSZ; `;
  const command = `${limit}exec ${program} --port 127.0.0.1:${port} --access ${KEYS.accessKeyId} --secret ${KEYS.secretAccessKey} posix --sidecar ${join(home, 'sidecar')} ${directory}`;
  await mkdir(join(home, 'sidecar'));
  const server = serverProcess('bash', ['-c', command], { HOME: home });
  const url = `http://127.0.0.1:${port}`;
  await eventually(() => fetch(url), 60_000);
  return {
    url,
    port,
    keys: KEYS,
    blobs: (given: Partial<Parameters<typeof s3Blobs>[0]> = {}) =>
      s3Blobs({ endpoint: url, bucket: 'content', region: 'us-east-1', ...KEYS, ...given }),
    async close() {
      await server.stop('SIGKILL');
      await rm(home, { recursive: true, force: true });
    },
  };
}
