import { uncompress } from 'snappyjs';
import { LIMITS } from '../../../contracts/budgets.ts';
import { fetchFault } from '../../fetch-fault.ts';
import { ForgeError } from '../forge-error.ts';

const TIMEOUT_MS = 15_000;

/**
 * Downloads a bundle that GitHub keeps outside its API, at a signed URL that is valid for some minutes: JSON, compressed as a Snappy block.
 * The credential is not sent, because another company serves it. Returns null if it is not JSON, or too large.
 * @param apiUrl its server may be asked without TLS; any other needs TLS.
 * @throws {ForgeError} if it is not available now.
 */
export async function fetchBundle(bundleUrl: string, apiUrl: string): Promise<unknown> {
  const url = URL.parse(bundleUrl);
  if (url?.protocol !== 'https:' && url?.origin !== new URL(apiUrl).origin) return null;
  const body = await download(url).catch((error: unknown) => {
    if (error instanceof ForgeError) throw error;
    throw new ForgeError(`${url.host} does not give the bundle of an attestation (${fetchFault(error)})`);
  });
  if (!body) return null;
  try {
    const isPlain = body[0] === '{'.charCodeAt(0);
    const text = isPlain ? body : uncompress(body, LIMITS.artifacts.bundleBytes);
    return JSON.parse(Buffer.from(text).toString()) as unknown;
  } catch {
    return null;
  }
}

/** Returns undefined if it is too large. */
async function download(url: URL): Promise<Buffer | undefined> {
  const response = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS), redirect: 'error' });
  if (!response.ok) {
    await response.body?.cancel();
    throw new ForgeError(`${url.host} answered ${response.status} for the bundle of an attestation`);
  }
  const chunks: Uint8Array[] = [];
  let bytes = 0;
  for await (const chunk of response.body ?? []) {
    bytes += chunk.length;
    if (bytes > LIMITS.artifacts.bundleBytes) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
