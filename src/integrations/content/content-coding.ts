import type { Transform } from 'node:stream';
import {
  constants,
  createBrotliDecompress,
  createGunzip,
  createInflate,
  createInflateRaw,
  createZstdDecompress,
} from 'node:zlib';
import { LIMITS } from '../../contracts/budgets.ts';

/** Thrown if a body does not have the coding that its header names. */
export class CodingFault extends Error {
  override readonly name = 'CodingFault';
}

/** Thrown if a decompressed body is too long. */
export class BodyTooLong extends Error {
  override readonly name = 'BodyTooLong';
}

const MAX_CODINGS = LIMITS.pages.codings;
/** As in curl and browsers, the end of a compressed body may be missing. */
const ZLIB = { finishFlush: constants.Z_SYNC_FLUSH };
const BROTLI = { finishFlush: constants.BROTLI_OPERATION_FLUSH };
const ZSTD = { finishFlush: constants.ZSTD_e_flush };

/**
 * Decompresses a body. Like browsers, it ignores unknown codings.
 * @param header `Content-Encoding`: the codings in the order in which they were applied.
 * @throws {CodingFault} {@link BodyTooLong}
 */
export async function unpacked(body: Buffer, header: string | undefined, maxBytes: number): Promise<Buffer> {
  const codings = (header ?? '')
    .toLowerCase()
    .split(',')
    .map((coding) => coding.trim());
  if (codings.length > MAX_CODINGS) throw new CodingFault(`it is packed more than ${MAX_CODINGS} times`);
  let bytes = body;
  for (const coding of codings.toReversed()) {
    const unpacker = bytes.length === 0 ? undefined : unpackerOf(coding, bytes);
    if (unpacker) bytes = await through(unpacker, bytes, coding, maxBytes);
  }
  return bytes;
}

async function through(unpacker: Transform, bytes: Buffer, coding: string, maxBytes: number): Promise<Buffer> {
  const chunks: Buffer[] = [];
  let length = 0;
  unpacker.end(bytes);
  try {
    for await (const chunk of unpacker as AsyncIterable<Buffer>) {
      length += chunk.length;
      if (length > maxBytes) throw new BodyTooLong(coding);
      chunks.push(chunk);
    }
  } catch (error) {
    if (error instanceof BodyTooLong) throw error;
    // Zlib takes a line end after a body for another body. Cutting off too much does no harm: the end may be missing.
    const trimmed = bytes.subarray(0, bytes.findLastIndex((byte) => byte > 0x20) + 1);
    const again = trimmed.length < bytes.length ? unpackerOf(coding, trimmed) : undefined;
    if (again) return through(again, trimmed, coding, maxBytes);
    throw new CodingFault(`it is not in ${coding}, as it says`, { cause: error });
  }
  return Buffer.concat(chunks);
}

function unpackerOf(coding: string, bytes: Buffer): Transform | undefined {
  switch (coding) {
    case 'gzip':
    case 'x-gzip':
      return createGunzip(ZLIB);
    case 'deflate':
      // Some servers omit zlib's header.
      return hasZlibHeader(bytes) ? createInflate(ZLIB) : createInflateRaw(ZLIB);
    case 'br':
      return createBrotliDecompress(BROTLI);
    case 'zstd':
      return createZstdDecompress(ZSTD);
    default:
      return undefined;
  }
}

/** Checks RFC 1950: method 8, and a check of the first two bytes. */
function hasZlibHeader(bytes: Buffer): boolean {
  return bytes.length >= 2 && ((bytes[0] ?? 0) & 0x0f) === 8 && bytes.readUInt16BE(0) % 31 === 0;
}
