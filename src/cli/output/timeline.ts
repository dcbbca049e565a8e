import type { EventView } from '../../contracts/builds/event.ts';
import { wordsOf } from './build-words.ts';
import { moment, span } from './moments.ts';
import { columnsOf, cut, type Output, pad, paint, printable } from './screen.ts';

/** Returns an event as one line of a timeline: when, how long after the start, what. */
export function timelineRow(event: EventView, startedAt: string): string {
  const { text, detail, tone } = wordsOf(event);
  const since = `+${span(Date.parse(event.timestamp) - Date.parse(startedAt))}`;
  const cells = [paint(moment(event.timestamp), 'faint'), paint(pad(since, 7), 'faint'), paint(text, tone)];
  return [...cells, ...(detail ? [paint(detail, 'faint')] : [])].join('  ');
}

/** Returns an event as one line of a log, with its time in UTC. */
export function logLine(prefix: string, event: EventView): string {
  const { text, detail } = wordsOf(event);
  return [event.timestamp, prefix, text + (detail ? `: ${detail}` : '')].join(' ');
}

/** Lines at the end of a terminal that are overwritten until they are final. */
export class Redrawn {
  readonly #output: Output;
  #drawn = 0;
  constructor(output: Output = process.stdout) {
    this.#output = output;
  }

  /**
   * Replaces what it drew before. It cuts lines to the width. If there are too many, it keeps the first one and leaves out those after it.
   */
  draw(lines: readonly string[]): void {
    const rows = Math.max(2, (this.#output.rows || 24) - 1);
    const shown = lines.length <= rows ? lines : [lines[0]!, ...lines.slice(lines.length - rows + 1)];
    const columns = columnsOf(this.#output);
    // Clears each line before writing it. After a full line, clearing would erase its last column.
    const text = shown.map((line) => `\u001b[K${cut(printable(line), columns)}\n`).join('');
    this.#output.write(`${this.#up()}${text}\u001b[J`);
    this.#drawn = shown.length;
  }

  /** Removes what it drew. */
  clear(): void {
    this.#output.write(`${this.#up()}\u001b[J`);
    this.#drawn = 0;
  }

  #up(): string {
    return this.#drawn > 0 ? `\u001b[${this.#drawn}A\r` : '';
  }
}
