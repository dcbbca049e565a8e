import { LIMITS } from '../contracts/budgets.ts';

/** A fault in a JSON text. `path` is its place as object keys and array indexes, if it has one. */
export class JsonFault extends Error {
  override readonly name = 'JsonFault';
  readonly path: ReadonlyArray<string | number> | undefined;

  constructor(message: string, path?: ReadonlyArray<string | number>) {
    super(message);
    this.path = path;
  }
}

/**
 * Reads JSON that no later reader can misread (I-JSON, RFC 7493). Refuses a key that is twice in an object, a number that a double
 * changes, NUL, half of a surrogate pair, and text that nests deeper than its budget. Refuses the key `__proto__` too, since schemas
 * drop it.
 *
 * Libraries that report the place of duplicate keys recurse, and overflow the stack on a megabyte of brackets. So JSON.parse checks
 * the syntax, and one pass over the valid text does the rest. Together they are faster than JSON.parse with a reviver.
 *
 * @throws {JsonFault}
 */
export function readJson(text: string): unknown {
  requireShallow(text);
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    throw new JsonFault((error as Error).message.slice(0, 200));
  }
  new Walk(text).run();
  return value;
}

/** Refuses a text before JSON.parse takes half a second for a megabyte of brackets. @throws {JsonFault} if it nests too deep. */
export function requireShallow(text: string): void {
  if (nestsTooDeep(text)) throw new JsonFault(`it nests deeper than ${LIMITS.json.depth} levels`, []);
}

const QUOTE = 0x22;
const PLUS = 0x2b;
const COMMA = 0x2c;
const MINUS = 0x2d;
const POINT = 0x2e;
const ZERO = 0x30;
const NINE = 0x39;
const UPPER_E = 0x45;
const OPEN_ARRAY = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_ARRAY = 0x5d;
const LOWER_E = 0x65;
const OPEN_OBJECT = 0x7b;
const CLOSE_OBJECT = 0x7d;

/** Says whether a text that may be JSON nests brackets deeper than their budget. */
export function nestsTooDeep(text: string): boolean {
  if (text.length <= LIMITS.json.depth) return false;
  let depth = 0;
  let inString = false;
  for (let at = 0; at < text.length; at++) {
    const unit = text.charCodeAt(at);
    if (unit === QUOTE) inString = !inString;
    else if (inString) {
      if (unit === BACKSLASH) at++;
    } else if (unit === OPEN_OBJECT || unit === OPEN_ARRAY) {
      if (++depth > LIMITS.json.depth) return true;
    } else if (unit === CLOSE_OBJECT || unit === CLOSE_ARRAY) depth--;
  }
  return false;
}

/** How many digits a double keeps of any number that is not too large or too small. */
const KEPT_DIGITS = 15;

/** An object or array that is being read. */
interface Open {
  /** Keys so far; undefined for an array. */
  keys: Set<string> | undefined;
  /** The place in it: the last key, or the current index. */
  at: string | number;
}

/** One pass over valid JSON. */
class Walk {
  readonly #text: string;
  readonly #open: Open[] = [];
  #at = 0;

  constructor(text: string) {
    this.#text = text;
  }

  run(): void {
    const text = this.#text;
    let innermost: Open | undefined;
    let keyIsNext = false;
    for (; this.#at < text.length; this.#at++) {
      const unit = text.charCodeAt(this.#at);
      if (unit === QUOTE) {
        const string = this.#string();
        if (keyIsNext) this.#key(innermost!, string);
        keyIsNext = false;
      } else if (unit === OPEN_OBJECT || unit === OPEN_ARRAY) {
        keyIsNext = unit === OPEN_OBJECT;
        innermost = { keys: keyIsNext ? new Set() : undefined, at: keyIsNext ? '' : 0 };
        this.#open.push(innermost);
      } else if (unit === CLOSE_OBJECT || unit === CLOSE_ARRAY) {
        keyIsNext = false;
        this.#open.pop();
        innermost = this.#open.at(-1);
      } else if (unit === COMMA) {
        if (innermost!.keys) keyIsNext = true;
        else (innermost!.at as number)++;
      } else if (unit === MINUS || (unit >= ZERO && unit <= NINE)) this.#number();
    }
  }

  /** Reads the string that begins here, and moves to its end. */
  #string(): string {
    const text = this.#text;
    const begin = this.#at + 1;
    let escaped = false;
    let end = begin;
    for (let unit = text.charCodeAt(end); unit !== QUOTE; unit = text.charCodeAt(++end)) {
      if (unit !== BACKSLASH) continue;
      escaped = true;
      end++;
    }
    this.#at = end;
    if (!escaped) return text.slice(begin, end);
    const string = JSON.parse(text.slice(begin - 1, end + 1)) as string;
    if (string.includes('\u0000')) throw this.#fault('holds the character NUL, which cannot be stored');
    if (!string.isWellFormed()) throw this.#fault('holds half of a surrogate pair, which is no text');
    return string;
  }

  #key({ keys }: Open, key: string): void {
    this.#open.at(-1)!.at = key;
    if (keys!.has(key)) throw this.#fault('is there twice; send each key once');
    if (key === '__proto__') throw this.#fault('"__proto__" is not taken as a key');
    keys!.add(key);
  }

  #number(): void {
    const text = this.#text;
    const begin = this.#at;
    let isWhole = true;
    let end = begin + 1;
    for (let unit = text.charCodeAt(end); isInNumber(unit); unit = text.charCodeAt(++end)) {
      if (unit === POINT || unit === LOWER_E || unit === UPPER_E) isWhole = false;
    }
    this.#at = end - 1;
    if (isWhole && end - begin <= KEPT_DIGITS) return;
    if (changes(text.slice(begin, end), isWhole)) {
      throw this.#fault('is a number that would be changed: it has too many digits or is too large; send it as text');
    }
  }

  #fault(message: string): JsonFault {
    return new JsonFault(
      message,
      this.#open.map(({ at }) => at),
    );
  }
}

function isInNumber(unit: number): boolean {
  if (unit >= ZERO && unit <= NINE) return true;
  return unit === POINT || unit === LOWER_E || unit === UPPER_E || unit === MINUS || unit === PLUS;
}

/**
 * Says whether reading and writing a number changes it. That happens to most whole numbers beyond 2^53, and to numbers with more
 * digits than a double keeps. A number that is not whole may be longer than it needs to be, as some languages write it.
 */
function changes(source: string, isWhole: boolean): boolean {
  const value = Number(source);
  if (!Number.isFinite(value)) return true;
  if (source.length <= KEPT_DIGITS && value !== 0) return false;
  const digits = digitsOf(source);
  if (digits === digitsOf(String(value))) return false;
  // toPrecision takes at most 100.
  return isWhole || digits.length > 100 || digits !== digitsOf(value.toPrecision(digits.length || 1));
}

/** Returns the significant digits of a number. */
function digitsOf(source: string): string {
  const [mantissa = ''] = source.split(/e/i);
  const digits = mantissa.replace(/[-.]/g, '').replace(/^0+/, '');
  // Not a pattern: one for trailing zeros would try each earlier run of zeros.
  let end = digits.length;
  while (digits[end - 1] === '0') end--;
  return digits.slice(0, end);
}
