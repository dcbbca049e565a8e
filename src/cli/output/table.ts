import { columnsOf, cut, inOneLine, type Output, pad, paint, widthOf } from './screen.ts';

export interface Column {
  title: string;
  /** Whether it shrinks if the terminal is too narrow. One column does. */
  flexible?: boolean;
}

const GAP = '  ';
const LEAST_FLEXIBLE = 8;

/** Returns rows under their titles, no wider than the terminal. Without a terminal, nothing is cut off. */
export function table(
  columns: readonly Column[],
  texts: readonly string[][],
  output: Output = process.stdout,
): string[] {
  const rows = texts.map((row) => row.map(inOneLine));
  const widths = columns.map(({ title }, index) =>
    Math.max(widthOf(title), ...rows.map((row) => widthOf(row[index] ?? ''))),
  );
  const available = columnsOf(output);
  const flexible = columns.findIndex((column) => column.flexible);
  if (available !== undefined && flexible >= 0) {
    const others = widths.reduce((sum, width, index) => (index === flexible ? sum : sum + width + GAP.length), 0);
    widths[flexible] = Math.min(widths[flexible]!, Math.max(LEAST_FLEXIBLE, available - others));
  }
  const line = (cells: readonly string[]) =>
    cut(
      cells
        .map((cell, index) => pad(cut(cell, widths[index]), widths[index]!))
        .join(GAP)
        .trimEnd(),
      available,
    );
  return [paint(line(columns.map(({ title }) => title)), 'faint', output), ...rows.map(line)];
}

/** Returns names beside their values, without empty ones. */
export function fields(values: Record<string, string | number | null | undefined>): string[] {
  const given = Object.entries(values).filter(([, value]) => value !== null && value !== undefined && value !== '');
  const width = Math.max(...given.map(([name]) => name.length));
  return given.map(([name, value]) => `${paint(name.padEnd(width), 'faint')}  ${value}`);
}
