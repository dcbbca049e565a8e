import { type Document, isScalar, Lexer, parseDocument, visit } from 'yaml';
import { LIMITS } from '../contracts/budgets.ts';
import { canonicalJson } from './record/hash.ts';

/**
 * What JSON may hold and a reader may take for something else: a shell within a here-document (`$`, a backtick, a backslash
 * before another), within single quotes, or a reader of YAML 1.1 (line ends and controls of its own, spec 1.1, 4.1 and 5.4).
 */
const MISREAD = /\\\\|[$`'\u007f-\u009f\u2028\u2029\ufeff]/g;

/**
 * A YAML document in the one form that is safe wherever a workflow puts it: JSON, which is YAML, on one line, without a
 * character that a shell reads as its own. Equal documents have equal forms. Comments and layout are lost.
 *
 * It is read as YAML 1.2 (core schema, with merge keys); a fault is a document that reads differently elsewhere, or that is
 * no mapping or sequence.
 */
export function yamlInput(text: string): { text: string } | { fault: string } {
  const fault = yamlCostFault([text]);
  return fault === undefined ? safeForm(text) : { fault };
}

/** The safe forms of several documents and what is wrong with them, by the names of their inputs. Their cost is bounded together. */
export function yamlInputs(documents: Readonly<Record<string, string>>): {
  texts: Record<string, string>;
  faults: Array<{ name: string; fault: string }>;
} {
  const texts: Record<string, string> = {};
  const faults: Array<{ name: string; fault: string }> = [];
  const tooCostly = yamlCostFault(Object.values(documents));
  for (const [name, document] of Object.entries(documents)) {
    const read = tooCostly === undefined ? safeForm(document) : { fault: tooCostly };
    if ('fault' in read) faults.push({ name, fault: read.fault });
    else texts[name] = read.text;
  }
  return { texts, faults };
}

/**
 * Why documents would take too long to read. Reading costs time by the lexeme: 64 KB of `- a` are 80,000 of them, and block the
 * process as long as thousands of triggers do, while a long text is one. Counting them costs a tenth of reading.
 */
function yamlCostFault(documents: readonly string[]): string | undefined {
  const { yamlCharacters, yamlLexemes } = LIMITS.configurations;
  const characters = documents.reduce((sum, { length }) => sum + length, 0);
  if (characters > yamlCharacters) return `YAML documents have ${characters} characters; ${yamlCharacters} is the most`;
  let lexemes = 0;
  for (const document of documents) {
    for (const lexeme of new Lexer().lex(document)) {
      // Each escape that is none is a fault of its own.
      lexemes += lexeme.split('\\').length;
      if (lexemes > yamlLexemes)
        return `YAML documents have more than ${yamlLexemes} keys, values, punctuation and escapes`;
    }
  }
  return undefined;
}

function safeForm(text: string): { text: string } | { fault: string } {
  try {
    // Keys that are there twice are found below: the library compares each key with each before it.
    const document = parseDocument(text, { schema: 'core', merge: true, prettyErrors: false, uniqueKeys: false });
    const [fault] = [...document.errors, ...document.warnings];
    if (fault?.code === 'MULTIPLE_DOCS') return { fault: 'it holds multiple documents; send one' };
    if (fault) return { fault: fault.message };
    const key = faultOfKeys(document);
    if (key) return { fault: key };
    const value: unknown = document.toJS({ maxAliasCount: LIMITS.configurations.yamlAliases });
    if (typeof value !== 'object' || value === null) return { fault: 'it is neither a mapping nor a sequence' };
    return { text: canonicalJson(exact(value)).replaceAll(MISREAD, escaped) };
  } catch (error) {
    if (error instanceof RangeError && /call stack/.test(error.message)) return { fault: 'it nests too deeply' };
    // Too many aliases, or a number that JSON cannot hold.
    return { fault: (error as Error).message };
  }
}

/** What JSON cannot have as it is written for a key: another than text, another text, or one of two that become the same. */
function faultOfKeys(document: Document): string | undefined {
  let fault: string | undefined;
  visit(document, {
    Map(_, { items }) {
      const names = new Set<string>();
      for (const { key } of items) {
        if (!isScalar(key)) fault = 'it has a key that is no text';
        else if (typeof key.value !== 'symbol') {
          const name = String(key.value);
          if (typeof key.value !== 'string' && key.source !== name)
            fault = `the key ${key.source} is read as ${name}; quote it`;
          else if (names.has(name)) fault = `it has the key ${name} twice`;
          names.add(name);
        }
      }
      return fault === undefined ? undefined : visit.BREAK;
    },
  });
  return fault;
}

/** The value, once every number in it is sure to be the one that was written. */
function exact(value: object): object {
  JSON.stringify(value, (key, member: unknown) => {
    if (typeof member !== 'number') return member;
    if (!Number.isFinite(member) || (Number.isInteger(member) && !Number.isSafeInteger(member))) {
      throw new RangeError(`${key} is a number that JSON cannot hold exactly; quote it`);
    }
    return member;
  });
  return value;
}

function escaped(misread: string): string {
  return `\\u${misread.charCodeAt(0).toString(16).padStart(4, '0')}`;
}
