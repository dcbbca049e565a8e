import { LIMITS } from '../../contracts/budgets.ts';
import { JsonFault, readJson } from '../../domain/json.ts';

/**
 * A value as Python's `json.dumps` writes it: spaces after separators, everything beyond ASCII escaped. A Map becomes an object that
 * keeps its order; an object of JavaScript puts names such as `42` first.
 */
export function pythonJson(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(pythonJson).join(', ')}]`;
  if (value === null || typeof value !== 'object') return escaped(JSON.stringify(value ?? null));
  const all = value instanceof Map ? [...value] : Object.entries(value);
  const members = all.filter(([, member]) => member !== undefined);
  return `{${members.map(([key, member]) => `${escaped(JSON.stringify(key))}: ${pythonJson(member)}`).join(', ')}}`;
}

function escaped(json: string): string {
  return json.replaceAll(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

/** A value as Python's `repr` shows it, cut where it is long. */
export function pythonRepr(value: unknown): string {
  const text = repr(value);
  const most = LIMITS.flower.reprCharacters;
  return text.length <= most ? text : `${text.slice(0, most - 3)}...`;
}

function repr(value: unknown): string {
  if (value === null || value === undefined) return 'None';
  if (value === true) return 'True';
  if (value === false) return 'False';
  if (typeof value === 'number') return String(value);
  if (typeof value === 'string') return reprOfText(value);
  if (Array.isArray(value)) return `[${value.map(repr).join(', ')}]`;
  const members = Object.entries(value as object).map(([key, member]) => `${repr(key)}: ${repr(member)}`);
  return `{${members.join(', ')}}`;
}

function reprOfText(text: string): string {
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  const inner = text
    .replaceAll('\\', '\\\\')
    .replaceAll(quote, `\\${quote}`)
    .replaceAll('\n', '\\n')
    .replaceAll('\r', '\\r')
    .replaceAll('\t', '\\t');
  return quote + inner + quote;
}

/** An exception as Python's `repr` shows it. */
export function exceptionRepr({ type, message }: { type: string; message: string }): string {
  // This one alone has a text of its own.
  if (type === 'NotRegistered')
    return `Task of kind ${reprOfText(message)} never registered, please make sure it's imported.`;
  return `${type}(${reprOfText(message)})`;
}

/** Where reading JSON failed, in the words of Python's decoder. */
export class PythonJsonError extends Error {}

/**
 * Reads JSON. @throws {PythonJsonError} with the text that Python's decoder gives, or with what is refused although Python takes
 * it, see {@link readJson}.
 */
export function parseLikePython(text: string): unknown {
  try {
    return readJson(text);
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    const { message, path } = error;
    throw new PythonJsonError(path ? `${['body', ...path].join('.')}: ${message}` : new FaultFinder(text).find());
  }
}

/** Goes through a text that is no JSON in the steps of Python's decoder, as far as it does. */
class FaultFinder {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  find(): string {
    try {
      this.#space();
      this.#value();
      this.#space();
      return this.#says('Extra data', this.#at);
    } catch (found) {
      if (typeof found === 'string') return found;
      throw found;
    }
  }

  #says(what: string, at: number): string {
    const before = this.#text.slice(0, at);
    const line = before.split('\n').length;
    return `${what}: line ${line} column ${at - before.lastIndexOf('\n')} (char ${at})`;
  }

  #space(): void {
    while (/[ \t\n\r]/.test(this.#text[this.#at] ?? '')) this.#at += 1;
  }

  #value(): void {
    const next = this.#text[this.#at];
    if (next === '"') this.#string();
    else if (next === '{') this.#object();
    else if (next === '[') this.#array();
    else this.#scalar();
  }

  #scalar(): void {
    const scalar = /^(?:null|true|false|NaN|-?Infinity|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?)/;
    const match = scalar.exec(this.#text.slice(this.#at));
    if (!match) throw this.#says('Expecting value', this.#at);
    this.#at += match[0].length;
  }

  #string(): void {
    const begin = this.#at;
    for (this.#at += 1; ; this.#at += 1) {
      const next = this.#text[this.#at];
      if (next === undefined) throw this.#says('Unterminated string starting at', begin);
      if (next === '"') break;
      if (next < ' ') throw this.#says('Invalid control character at', this.#at);
      if (next !== '\\') continue;
      this.#at += 1;
      const escaped = this.#text[this.#at];
      if (escaped === undefined) throw this.#says('Unterminated string starting at', begin);
      if (escaped === 'u') {
        if (!/^[0-9a-fA-F]{4}/.test(this.#text.slice(this.#at + 1))) {
          throw this.#says('Invalid \\uXXXX escape', this.#at);
        }
        this.#at += 4;
      } else if (!'"\\/bfnrt'.includes(escaped)) throw this.#says('Invalid \\escape', this.#at - 1);
    }
    this.#at += 1;
  }

  #array(): void {
    this.#at += 1;
    this.#space();
    if (this.#text[this.#at] === ']') {
      this.#at += 1;
      return;
    }
    for (;;) {
      this.#space();
      this.#value();
      this.#space();
      if (this.#ends(']')) return;
    }
  }

  #object(): void {
    this.#at += 1;
    this.#space();
    if (this.#text[this.#at] === '}') {
      this.#at += 1;
      return;
    }
    for (;;) {
      this.#space();
      if (this.#text[this.#at] !== '"') {
        throw this.#says('Expecting property name enclosed in double quotes', this.#at);
      }
      this.#string();
      this.#space();
      if (this.#text[this.#at] !== ':') throw this.#says("Expecting ':' delimiter", this.#at);
      this.#at += 1;
      this.#space();
      this.#value();
      this.#space();
      if (this.#ends('}')) return;
    }
  }

  /** Whether the list ends here; a comma lets it go on. */
  #ends(end: string): boolean {
    const next = this.#text[this.#at];
    if (next !== end && next !== ',') throw this.#says("Expecting ',' delimiter", this.#at);
    this.#at += 1;
    return next === end;
  }
}
