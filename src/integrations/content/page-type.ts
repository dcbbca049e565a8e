import { MIMEType } from 'whatwg-mimetype';
import type { PageKind } from './article.ts';

/** The type that a page's header declares. */
export interface PageType {
  /** Undefined if the header names no type, or an unintelligible one. The content then decides. */
  kind: PageKind | undefined;
  charset: string | undefined;
}

const KINDS: Readonly<Record<string, PageKind>> = {
  'text/html': 'html',
  'application/xhtml+xml': 'xml',
  'text/xml': 'xml',
  'application/xml': 'xml',
  'text/plain': 'text',
  'text/markdown': 'text',
  'text/x-markdown': 'text',
};
/** How much of the header is read: its end, which has the type that counts. The time grows with the square of the length. */
const READ_CHARACTERS = 1_024;
/** Types that servers send if they know none (MIME Sniffing, section 7). */
const NO_TYPES = new Set(['unknown/unknown', 'application/unknown', '*/*']);

/** Thrown if a page is neither HTML nor text. The message names its type. */
export class NotReadable extends Error {
  override readonly name = 'NotReadable';
}

/**
 * Reads `Content-Type` as browsers do. The last valid type counts. It inherits the charset of an equal type before it.
 * @throws {NotReadable}
 */
export function declaredType(header = ''): PageType {
  const end = header.slice(-READ_CHARACTERS);
  let last: MIMEType | undefined;
  let charset: string | undefined;
  for (const part of end.split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/)) {
    const type = MIMEType.parse(part);
    if (type === null || type.essence === '*/*') continue;
    charset = type.parameters.get('charset') ?? (type.essence === last?.essence ? charset : undefined);
    last = type;
  }
  if (last === undefined || NO_TYPES.has(last.essence))
    return { kind: undefined, charset: charset ?? looseCharset(end) };
  const kind = KINDS[last.essence];
  if (kind === undefined) throw new NotReadable(last.essence);
  return { kind, charset };
}

/** Reads the charset of `text/html charset=utf-8`. Without the semicolon, that is not a valid type, but the meaning is clear. */
function looseCharset(header: string): string | undefined {
  return /charset\s*=\s*["']?([^\s"';,]+)/i.exec(header)?.[1];
}

/** First bytes of documents and pictures that contain no readable text, whatever their header says. */
const SIGNATURES: ReadonlyArray<[type: string, start: string, at?: number]> = [
  ['application/pdf', '%PDF-'],
  ['application/postscript', '%!PS-Adobe-'],
  ['image/png', '\x89PNG\r\n'],
  ['image/jpeg', '\xff\xd8\xff'],
  ['image/gif', 'GIF87a'],
  ['image/gif', 'GIF89a'],
  ['image/webp', 'WEBPVP', 8],
  ['application/zip', 'PK\x03\x04'],
  ['application/gzip', '\x1f\x8b\x08'],
  ['video/mp4', 'ftyp', 4],
  ['application/ogg', 'OggS\0'],
];
const SNIFFED_BYTES = 1_445;
const MARK = /^(?:\xef\xbb\xbf|\xff\xfe|\xfe\xff)/;
/** First bytes of UTF-16: its byte order mark, or a tag. */
const WIDE = ['\xff\xfe', '\xfe\xff', '<\0', '\0<'];

/**
 * Decides how to read a page: by its header, otherwise by its first bytes. This is more generous than browsers. Those treat a page without
 * a type as text if a byte order mark or a newer element comes first.
 * @throws {NotReadable}
 */
export function kindOf({ kind, charset }: PageType, bytes: Buffer): PageKind {
  const start = bytes.subarray(0, SNIFFED_BYTES).toString('latin1');
  const signature = SIGNATURES.find(([, beginning, at = 0]) => start.startsWith(beginning, at));
  if (signature) throw new NotReadable(signature[0]);
  if (kind === 'html' || kind === 'xml') return kind;
  const wide = WIDE.some((beginning) => start.startsWith(beginning)) || /^utf-?16/i.test(charset ?? '');
  if (!wide && bytes.subarray(0, SNIFFED_BYTES).some(standsInNoText)) throw new NotReadable('binary data');
  if (kind === 'text') return kind;
  const beginning = start.replace(MARK, '').replaceAll('\0', '').trimStart();
  if (/^<\?xml\s/i.test(beginning)) return /<html[\s>]/i.test(beginning) ? 'xml' : 'html';
  return /^<[a-z!/?]/i.test(beginning) ? 'html' : 'text';
}

/** Says whether this is a "binary data byte" of the MIME Sniffing standard. ESC is not one, because ISO-2022-JP uses it. */
function standsInNoText(byte: number): boolean {
  return byte <= 0x08 || byte === 0x0b || (byte >= 0x0e && byte <= 0x1a) || (byte >= 0x1c && byte <= 0x1f);
}
