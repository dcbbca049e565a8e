import { LIMITS } from '../../contracts/budgets.ts';
import type { TaskError } from '../../contracts/tasks/task-event.ts';
import { repr, reprOfException } from '../../domain/celery/python-repr.ts';
import { JsonFault, readJson } from '../../domain/json.ts';

/**
 * Writes a value like Python's `json.dumps`: spaces after separators, everything beyond ASCII escaped. A Map becomes an object that keeps
 * its order; a JavaScript object puts names such as `42` first.
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

/** Writes a value like Python's `repr`, and cuts off long ones. */
export function pythonRepr(value: unknown): string {
  const text = repr(value ?? null);
  const most = LIMITS.flower.reprCharacters;
  return text.length <= most ? text : `${text.slice(0, most - 3)}...`;
}

/** Writes an exception like Python's `repr`. One of a worker in Python has arguments. */
export function exceptionRepr({ type, message, args }: Pick<TaskError, 'type' | 'message' | 'args'>): string {
  // Only this exception has its own text.
  if (type === 'NotRegistered')
    return `Task of kind ${repr(message)} never registered, please make sure it's imported.`;
  return reprOfException({ exc_type: type, exc_message: args ?? [message] });
}

/** A fault in JSON, in the words of Python's decoder. */
export class PythonJsonError extends Error {}

/**
 * Reads JSON. @throws {PythonJsonError} with the text of Python's decoder, or with what is refused although Python accepts it; see
 * {@link readJson}.
 */
export function parseLikePython(text: string): unknown {
  try {
    return readJson(text);
  } catch (error) {
    if (!(error instanceof JsonFault)) throw error;
    const { message, path } = error;
    throw new PythonJsonError(path ? `${['body', ...path].join('.')}: ${message}` : faultOf(text));
  }
}

/** Python's message if something else is found where this is expected. */
const EXPECTED = {
  value: 'Expecting value',
  firstValue: 'Expecting value',
  key: 'Expecting property name enclosed in double quotes',
  firstKey: 'Expecting property name enclosed in double quotes',
  colon: "Expecting ':' delimiter",
  comma: "Expecting ',' delimiter",
  end: 'Extra data',
};

const STRING = String.raw`"(?:[^"\\\u0000-\u001f]|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*"`;
const SCALAR = String.raw`null|true|false|-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?`;
const TOKEN = `(${STRING})|(${SCALAR})|[[\\]{}:,]`;

/** Says where a text stops being JSON, in the words of Python's decoder. */
function faultOf(text: string): string {
  const token = new RegExp(TOKEN, 'y');
  const open: string[] = [];
  let expected: keyof typeof EXPECTED = 'value';
  for (let at = 0; ; at = token.lastIndex) {
    while (' \t\n\r'.includes(text[at] ?? '-')) at += 1;
    token.lastIndex = at;
    const [found = '', string, scalar] = token.exec(text) ?? [];
    const isValue = expected === 'value' || expected === 'firstValue';
    const closes = expected === 'comma' || expected === (found === '}' ? 'firstKey' : 'firstValue');
    if (isValue && (found === '{' || found === '[')) {
      open.push(found);
      expected = found === '{' ? 'firstKey' : 'firstValue';
    } else if (string !== undefined && (expected === 'key' || expected === 'firstKey')) expected = 'colon';
    else if (found === ':' && expected === 'colon') expected = 'value';
    else if (found === ',' && expected === 'comma') expected = open.at(-1) === '{' ? 'key' : 'value';
    else if (closes && open.at(-1) === { '}': '{', ']': '[' }[found]) {
      open.pop();
      expected = open.length === 0 ? 'end' : 'comma';
    } else if (isValue && (string ?? scalar) !== undefined) expected = open.length === 0 ? 'end' : 'comma';
    else {
      const before = text.slice(0, at);
      const line = before.split('\n').length;
      return `${EXPECTED[expected]}: line ${line} column ${at - before.lastIndexOf('\n')} (char ${at})`;
    }
  }
}
