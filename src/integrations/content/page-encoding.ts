import { isUtf8 } from 'node:buffer';
import { labelToName, legacyHookDecode } from '@exodus/bytes/encoding.js';
import { detect } from 'chardet';
import { getEncoding } from 'encoding-sniffer';
import type { PageKind } from './article.ts';

/** Thrown if a page names an encoding that browsers refuse to read. */
export class EncodingRefused extends Error {
  override readonly name = 'EncodingRefused';
}

/** The standard looks at 1,024 bytes, but browsers start again if a `<meta>` comes later. */
const DECLARED_WITHIN = 64 * 1024;
/** Guessing takes about 4 ms per KiB. */
const GUESSED_FROM = 16 * 1024;

/**
 * Returns the text of a page. It finds the encoding in the order of the HTML standard: byte order mark, header, the document's own
 * declaration (`<meta>` or XML declaration). Without any of these, it is UTF-8 if the bytes are valid UTF-8, and otherwise a guess.
 * @throws {EncodingRefused}
 */
export function decodePage(bytes: Buffer, kind: PageKind, charset: string | undefined): string {
  const encoding = getEncoding(declaringPart(bytes, kind), {
    maxBytes: DECLARED_WITHIN,
    defaultEncoding: guess(bytes),
    ...(charset === undefined ? {} : { transportLayerEncodingLabel: charset.trim() }),
  });
  if (encoding === 'replacement') throw new EncodingRefused(`the page is in an encoding that no browser reads`);
  return legacyHookDecode(bytes, encoding.toLowerCase());
}

/** Returns the part of a page that can name the encoding. Plain text has only a byte order mark; XML also has its declaration. */
function declaringPart(bytes: Buffer, kind: PageKind): Buffer {
  switch (kind) {
    case 'html':
      return bytes;
    case 'xml': {
      const end = bytes.indexOf('?>');
      return bytes.subarray(0, bytes.subarray(0, 10).includes('?') && end !== -1 ? end + 2 : 6);
    }
    case 'text':
      return bytes.subarray(0, 3);
    default:
      return kind satisfies never;
  }
}

function guess(bytes: Buffer): string {
  if (isUtf8(bytes)) return 'utf-8';
  // ASCII bytes say nothing about the encoding, however many there are.
  const first = Math.max(0, bytes.findIndex((byte) => byte > 0x7f) - 64);
  const label = detect(bytes.subarray(first, first + GUESSED_FROM));
  return (label && labelToName(label)) || 'windows-1252';
}
