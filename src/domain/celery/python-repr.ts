import type { CeleryException } from '../../contracts/celery/celery.ts';

/** Returns an exception as Python's `repr` writes it: `ValueError('boom')`. */
export function reprOfException({ exc_type, exc_message }: Omit<CeleryException, 'exc_module'>): string {
  const args = Array.isArray(exc_message) ? exc_message : [exc_message];
  return `${exc_type}(${args.map(repr).join(', ')})`;
}

/** Returns a JSON value as Python's `repr` writes it. */
export function repr(value: unknown): string {
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'string') return reprOfText(value);
  if (Array.isArray(value)) return `[${value.map(repr).join(', ')}]`;
  if (typeof value === 'object') {
    return `{${Object.entries(value)
      .map(([key, of]) => `${repr(key)}: ${repr(of)}`)
      .join(', ')}}`;
  }
  return String(value);
}

const ESCAPES: Readonly<Record<string, string>> = { '\\': '\\\\', '\n': '\\n', '\r': '\\r', '\t': '\\t' };

function reprOfText(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const escaped = text.replace(/[\\\n\r\t\p{Cc}]/gu, (c) => ESCAPES[c] ?? `\\x${hex(c)}`);
  return `${quote}${quote === "'" ? escaped.replaceAll("'", "\\'") : escaped}${quote}`;
}

function hex(character: string): string {
  return character.charCodeAt(0).toString(16).padStart(2, '0');
}
