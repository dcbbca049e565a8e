import { isUtf8 } from 'node:buffer';
import { labelToName, legacyHookDecode } from '@exodus/bytes/encoding.js';
import { detect } from 'chardet';
import { getEncoding } from 'encoding-sniffer';
import type { PageKind } from './article.ts';

/** Thrown if a page names an encoding that browsers refuse to read. */
export class EncodingRefused extends Error {
  override readonly name = 'EncodingRefused';
}

/** The standard looks at 1,024 bytes, and browsers begin again at a `<meta>` that comes later. */
const DECLARED_WITHIN = 64 * 1024;
/** To guess takes about 4 ms for each KiB. */
const GUESSED_FROM = 16 * 1024;

/**
 * The text of a page, in the encoding that the HTML standard's order gives: byte order mark, header, what the document says of
 * itself (`<meta>` or XML declaration), and where nobody says it UTF-8 if it is that, else what it looks like.
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

/** The beginning of a page, as far as it can name the encoding: text has a byte order mark only, XML its declaration too. */
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
  // What is ASCII says nothing, however much of it there is.
  const first = Math.max(0, bytes.findIndex((byte) => byte > 0x7f) - 64);
  const label = detect(bytes.subarray(first, first + GUESSED_FROM));
  return (label && labelToName(label)) || 'windows-1252';
}
