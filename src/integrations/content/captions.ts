import { decodeHTML } from 'entities';
import { Parser } from 'htmlparser2';

/** A line of captions. `at` is its time, in seconds from the start. */
export interface CaptionLine {
  at: number;
  text: string;
}

/** Why a document contains no captions. */
export type CaptionsFault = 'page' | 'unknown' | 'truncated';

/** Elements of a line: `<text>` in YouTube's first two formats, `<p>` in its third and in TTML. */
const LINES = new Set(['text', 'p']);

/**
 * Returns the lines of captions in any form that YouTube serves: its three XML formats, TTML, and JSON. It loses none: text outside a line,
 * or in an unknown element, is a line or part of one. It leaves out lines without text.
 */
export function captionLines(document: string): CaptionLine[] | CaptionsFault {
  const text = document.replace(/^\uFEFF/, '').trimStart();
  const lines = text.startsWith('{') ? linesOfJson(text) : text.startsWith('<') ? linesOfXml(text) : 'unknown';
  if (typeof lines === 'string') return lines;
  return lines.map(({ at, text: raw }) => ({ at, text: plain(raw) })).filter(({ text: said }) => said !== '');
}

function linesOfXml(document: string): CaptionLine[] | CaptionsFault {
  const lines = new LineBuilder();
  let root: string | undefined;
  let closed = false;
  let inHead = 0;
  const parser = new Parser(
    {
      onopentag(qualified, attributes) {
        const name = localName(qualified);
        root ??= name;
        if (name === 'head') inHead++;
        else if (LINES.has(name)) lines.begin(secondsOf(attributes), durationOf(attributes));
        else if (name === 'br') lines.add('\n');
      },
      ontext(text) {
        if (inHead === 0) lines.add(text);
      },
      onclosetag(qualified) {
        const name = localName(qualified);
        if (name === 'head') inHead--;
        else if (LINES.has(name)) lines.end();
        if (name === root) closed = true;
      },
    },
    { xmlMode: true },
  );
  parser.write(document);
  // Ending the parser closes open elements, so this must come first.
  const complete = closed;
  parser.end();
  if (root === 'html' || /^<!doctype html/i.test(document)) return 'page';
  if (root === undefined || !/^(?:transcript|timedtext|tt)$/.test(root)) return 'unknown';
  return complete ? lines.all : 'truncated';
}

function linesOfJson(document: string): CaptionLine[] | CaptionsFault {
  let read: { events?: Array<{ tStartMs?: number; dDurationMs?: number; segs?: Array<{ utf8?: string }> }> };
  try {
    read = JSON.parse(document);
  } catch {
    return 'truncated';
  }
  if (!Array.isArray(read.events)) return 'unknown';
  const lines = new LineBuilder();
  for (const event of read.events) {
    if (!Array.isArray(event?.segs)) continue;
    lines.begin(number(event.tStartMs, 1_000), number(event.dDurationMs, 1_000));
    for (const part of event.segs) lines.add(String(part?.utf8 ?? ''));
    lines.end();
  }
  return lines.all;
}

/** Collects lines. A line without a time starts when the line before it ends. */
class LineBuilder {
  readonly all: CaptionLine[] = [];
  #open = false;
  #next = 0;

  begin(at: number | undefined, duration: number | undefined): void {
    const start = at ?? this.#next;
    this.#next = start + (duration ?? 0);
    this.all.push({ at: start, text: '' });
    this.#open = true;
  }

  add(text: string): void {
    if (!this.#open && text.trim() === '') return;
    if (!this.#open) this.begin(undefined, undefined);
    const line = this.all.at(-1);
    if (line) line.text += text;
  }

  end(): void {
    this.#open = false;
  }
}

function localName(qualified: string): string {
  return qualified.slice(qualified.indexOf(':') + 1).toLowerCase();
}

/** Reads a time in seconds: `start` is in seconds, `t` in milliseconds, `begin` a clock time. */
function secondsOf({ start, t, begin }: Record<string, string>): number | undefined {
  return number(start, 1) ?? number(t, 1_000) ?? clock(begin);
}

function durationOf({ dur, d }: Record<string, string>): number | undefined {
  return number(dur, 1) ?? number(d, 1_000);
}

function number(given: unknown, perSecond: number): number | undefined {
  const value = typeof given === 'string' && given.trim() === '' ? Number.NaN : Number(given ?? Number.NaN);
  return Number.isFinite(value) && value >= 0 ? value / perSecond : undefined;
}

function clock(given: string | undefined): number | undefined {
  const parts = /^(?:(\d+):)?(\d+):(\d+(?:\.\d+)?)$|^(\d+(?:\.\d+)?)s?$/.exec(given?.trim() ?? '');
  if (!parts) return undefined;
  return Number(parts[1] ?? 0) * 3_600 + Number(parts[2] ?? 0) * 60 + Number(parts[3] ?? parts[4] ?? 0);
}

/** Markup that caption editors use. Anything else in angle brackets is something that somebody said. */
const MARKUP = /<\/?(?:b|i|u|s|em|strong|font|span|c|v|lang|ruby|rb|rt|rp)(?:[\s./][^<>]*)?>/gi;
const BREAKS = /<(?:br|\/?p|\/?div)(?:[\s/][^<>]*)?>/gi;
/** What is said on a line: zero-width spaces pad lines that have a background. */
const SAID = /[^\s\u200B](?:.*[^\s\u200B])?/s;

/** Returns the text of a line. Its text is HTML in turn, with entities and tags of its own. */
function plain(html: string): string {
  const text = decodeHTML(html.replace(BREAKS, ' ').replace(MARKUP, '')).replace(/\s+/g, ' ');
  return SAID.exec(text)?.[0] ?? '';
}
