import { MIMEType } from 'whatwg-mimetype';
import type { PageKind } from './article.ts';

/** What the header of a page says. */
export interface PageType {
  /** Undefined where nothing is said, or nothing that can be understood: the content tells it. */
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
/** Types that servers send where they know none (MIME Sniffing, section 7). */
const NO_TYPES = new Set(['unknown/unknown', 'application/unknown', '*/*']);

/** Thrown if a page is neither HTML nor text. The message names what it is. */
export class NotReadable extends Error {
  override readonly name = 'NotReadable';
}

/**
 * Reads `Content-Type` as browsers do: the last type that is valid counts, with the charset of one before it if both are the same.
 * @throws {NotReadable}
 */
export function declaredType(header: string | undefined): PageType {
  let last: MIMEType | undefined;
  let charset: string | undefined;
  for (const part of (header ?? '').split(/,(?=(?:[^"]*"[^"]*")*[^"]*$)/)) {
    const type = MIMEType.parse(part);
    if (type === null || type.essence === '*/*') continue;
    charset = type.parameters.get('charset') ?? (type.essence === last?.essence ? charset : undefined);
    last = type;
  }
  if (last === undefined || NO_TYPES.has(last.essence))
    return { kind: undefined, charset: charset ?? looseCharset(header) };
  const kind = KINDS[last.essence];
  if (kind === undefined) throw new NotReadable(last.essence);
  return { kind, charset };
}

/** `text/html charset=utf-8`, without the semicolon, is no valid type; what is meant is clear. */
function looseCharset(header: string | undefined): string | undefined {
  return /charset\s*=\s*["']?([^\s"';,]+)/i.exec(header ?? '')?.[1];
}

/** How documents and pictures begin that no reader of text can do anything with, whatever their header says. */
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
/** UTF-16, by its byte order mark or because it begins with a tag. */
const WIDE = ['\xff\xfe', '\xfe\xff', '<\0', '\0<'];

/**
 * How a page is to be read: as its header says, else as it begins. More generous than browsers, which take a page without a
 * type for text if a byte order mark or a newer element comes first.
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

/** "Binary data bytes" of the MIME Sniffing standard. ESC is none, since ISO-2022-JP has it. */
function standsInNoText(byte: number): boolean {
  return byte <= 0x08 || byte === 0x0b || (byte >= 0x0e && byte <= 0x1a) || (byte >= 0x1c && byte <= 0x1f);
}
