import { type Document, isScalar, Lexer, parseDocument, visit } from 'yaml';
import { LIMITS } from '../contracts/budgets.ts';
import { canonicalJson } from './record/hash.ts';

/**
 * Characters of JSON that a later reader may misread: a shell in a here-document (`$`, a backtick, a backslash before another) or in
 * single quotes, or a reader of YAML 1.1 (its own line ends and controls; spec 1.1, 4.1 and 5.4).
 */
const MISREAD = /\\\\|[$`'\u007f-\u009f\u2028\u2029\ufeff]/g;

/**
 * Rewrites a YAML document in the one form that is safe wherever a workflow puts it: JSON, which is YAML, on one line, without
 * characters that a shell interprets. Equal documents have equal forms. Comments and layout are lost.
 *
 * Reads the document as YAML 1.2 (core schema, with merge keys). Refuses it if other readers would read it differently, or if it is
 * neither a mapping nor a sequence.
 */
export function yamlInput(text: string): { text: string } | { fault: string } {
  const fault = yamlCostFault([text]);
  return fault === undefined ? safeForm(text) : { fault };
}

/** Returns the safe forms and the faults of several documents, by the names of their inputs. Bounds their cost together. */
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
 * Returns the reason why documents would take too long to read, if they would. Reading takes time per lexeme: 64 KB of `- a` have
 * 80,000, and block the process for as long as thousands of triggers do, while a long text is one. Counting them costs a tenth of
 * reading.
 */
function yamlCostFault(documents: readonly string[]): string | undefined {
  const { yamlCharacters, yamlLexemes } = LIMITS.configurations;
  const characters = documents.reduce((sum, { length }) => sum + length, 0);
  if (characters > yamlCharacters) return `YAML documents have ${characters} characters; ${yamlCharacters} is the most`;
  let lexemes = 0;
  for (const document of documents) {
    for (const lexeme of new Lexer().lex(document)) {
      // Each invalid escape is a fault of its own.
      lexemes += lexeme.split('\\').length;
      if (lexemes > yamlLexemes)
        return `YAML documents have more than ${yamlLexemes} keys, values, punctuation and escapes`;
    }
  }
  return undefined;
}

function safeForm(text: string): { text: string } | { fault: string } {
  try {
    // Duplicate keys are found below: the library compares each key with every earlier one.
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

/** Finds a key that JSON cannot hold as written: one that is not text, is read as another text, or becomes equal to another key. */
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

/** Returns the value if JSON can hold every number in it exactly. @throws {RangeError} if it cannot. */
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
