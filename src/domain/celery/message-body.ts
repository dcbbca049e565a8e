import { brotliDecompressSync, unzipSync, zstdDecompressSync } from 'node:zlib';
import { LIMITS } from '../../contracts/budgets.ts';
import type { Delivery } from '../../contracts/celery/celery.ts';
import { Refused } from './refused.ts';

type Decompress = (bytes: Uint8Array, limits: { maxOutputLength: number }) => Uint8Array;

/** Functions that decompress, by kombu's names. What kombu calls gzip is zlib; `unzip` tells the two apart itself. */
const DECOMPRESS: Readonly<Record<string, Decompress>> = {
  'application/x-gzip': unzipSync,
  'application/x-brotli': brotliDecompressSync,
  'application/zstd': zstdDecompressSync,
};

/**
 * Returns the text of a message's body: taken out of base64, decompressed within bounds, and decoded.
 * @throws {Refused} if the body is too large, or of a kind that is not read (such as pickle, which can run any code).
 */
export function bodyText(delivery: Delivery): string {
  const type = delivery.content_type?.split(';')[0]?.trim().toLowerCase() ?? 'application/json';
  if (type !== 'application/json') {
    throw new Refused('unsupported_content_type', `${type.slice(0, 80)} is not read; send application/json`);
  }
  if (delivery.body.byteLength > LIMITS.messages.bodyBytes) throw tooLarge();
  const { text, transfer } = encodings(delivery);
  const bytes =
    transfer === 'base64' ? Buffer.from(Buffer.from(delivery.body).toString('latin1'), 'base64') : delivery.body;
  return decoded(decompressed(bytes, delivery.headers.compression), text);
}

function encodings({ content_encoding, headers }: Delivery): { text: string; transfer: 'base64' | 'none' } {
  const encoding = content_encoding?.trim().toLowerCase() ?? 'utf-8';
  const base64 = encoding === 'base64' || headers.body_encoding === 'base64';
  return {
    text: encoding === 'binary' || encoding === 'base64' ? 'utf-8' : encoding,
    transfer: base64 ? 'base64' : 'none',
  };
}

/** Decompresses bytes to at most `most` bytes, by kombu's name of the compression. @throws {Refused} */
export function decompressed(
  bytes: Uint8Array,
  compression: unknown,
  most: number = LIMITS.messages.bodyBytes,
): Uint8Array {
  if (compression === undefined || compression === null || compression === '') return bytes;
  // A sender may put anything there, even an object that refuses to become a string.
  const name = typeof compression === 'string' ? compression : JSON.stringify(compression);
  const decompress = Object.hasOwn(DECOMPRESS, name) ? DECOMPRESS[name] : undefined;
  if (!decompress) {
    throw new Refused('unsupported_compression', `${name.slice(0, 80)} is not read; send gzip, brotli or zstd`);
  }
  try {
    return decompress(bytes, { maxOutputLength: most });
  } catch (error) {
    if ((error as { code?: string }).code === 'ERR_BUFFER_TOO_LARGE') throw tooLarge();
    throw new Refused('unsupported_compression', `the body is not ${String(compression)}`);
  }
}

function decoded(bytes: Uint8Array, encoding: string): string {
  try {
    return new TextDecoder(encoding, { fatal: true }).decode(bytes);
  } catch {
    throw new Refused('unsupported_encoding', `the body is no text in ${encoding.slice(0, 40)}`);
  }
}

function tooLarge(): Refused {
  return new Refused('too_large', `the body is larger than ${LIMITS.messages.bodyBytes} bytes`);
}
