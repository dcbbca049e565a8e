import { LIMITS } from '../../contracts/budgets.ts';
import type { TaskSearch } from '../../contracts/tasks/task-search.ts';

/** A fault in a search, and where it is. */
export class SearchError extends Error {
  constructor(fault: string, at?: number) {
    super(at === undefined ? `${fault}.` : `${fault} at position ${at}.`);
  }
}

interface Token {
  kind: '(' | ')' | 'AND' | 'OR' | 'term' | 'end';
  text: string;
  at: number;
}

const FIELDS = ['name', 'state', 'worker', 'args', 'kwargs', 'result'] as const;
const MIN_TEXT_CHARACTERS = 3;

/**
 * Reads a search as Flower 2.2 does: terms `state:X`, `kwargs:K=V`, `FIELD:X` or plain text, and parentheses. All terms must match, unless
 * OR is between them. Text in quotes stays as it is: `args:"two words"`, `"("`, `"say \"hi\""`.
 * @throws {SearchError} in Flower's words.
 */
export function parseSearch(given: string): TaskSearch | undefined {
  const text = given.trim();
  if (text.length > LIMITS.flower.searchCharacters) {
    throw new SearchError(`Query exceeds ${LIMITS.flower.searchCharacters} characters`);
  }
  const tokens = tokensOf(text);
  let next = 0;
  const current = () => tokens[next]!;
  if (current().kind === 'end') return undefined;

  function any(depth: number): TaskSearch {
    const of = [all(depth)];
    while (current().kind === 'OR') {
      const { at } = tokens[next++]!;
      if (!begins(current())) throw new SearchError('OR must be followed by a search term', at);
      of.push(all(depth));
    }
    return of.length === 1 ? of[0]! : { kind: 'any', of };
  }

  function all(depth: number): TaskSearch {
    const of = [one(depth)];
    while (!['end', ')', 'OR'].includes(current().kind)) {
      if (current().kind === 'AND') {
        const { at } = tokens[next++]!;
        if (!begins(current())) throw new SearchError('AND must be followed by a search term', at);
      }
      of.push(one(depth));
    }
    return of.length === 1 ? of[0]! : { kind: 'all', of };
  }

  function one(depth: number): TaskSearch {
    const token = current();
    if (!begins(token)) throw new SearchError('Expected a search term', token.at);
    if (token.kind === '(' && depth >= LIMITS.flower.searchDepth) {
      throw new SearchError(`Query nesting exceeds ${LIMITS.flower.searchDepth} levels`, token.at);
    }
    next += 1;
    if (token.kind === 'term') return termOf(token);
    if (current().kind === ')') throw new SearchError('Empty group', token.at);
    const inner = any(depth + 1);
    if (current().kind !== ')') throw new SearchError('Missing closing parenthesis', token.at);
    next += 1;
    return inner;
  }

  const search = any(0);
  if (current().kind !== 'end') throw new SearchError(`Unexpected '${current().text}'`, current().at);
  return search;
}

/** Says whether a term starts with a token. */
function begins({ kind }: Token): boolean {
  return kind === 'term' || kind === '(';
}

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < text.length; ) {
    if (/\s/.test(text[at]!)) {
      at += 1;
      continue;
    }
    const { token, end } = text[at] === '(' || text[at] === ')' ? parenthesis(text, at) : wordOf(text, at);
    tokens.push(token);
    at = end;
    if (tokens.length > LIMITS.flower.searchTokens) {
      throw new SearchError(`Query exceeds ${LIMITS.flower.searchTokens} tokens`);
    }
  }
  return [...tokens, { kind: 'end', text: '', at: text.length }];
}

function parenthesis(text: string, at: number) {
  const kind = text[at] as '(' | ')';
  return { token: { kind, text: kind, at }, end: at + 1 };
}

/** Reads a word, which ends at a space or a parenthesis outside quotes. */
function wordOf(text: string, at: number): { token: Token; end: number } {
  let word = '';
  let quoted = false;
  let inQuotes = false;
  let end = at;
  for (; end < text.length; end++) {
    const character = text[end]!;
    const escaped = text[end + 1];
    if (character === '\\' && (escaped === '"' || escaped === '\\')) {
      word += escaped;
      end += 1;
    } else if (character === '"') {
      quoted = true;
      inQuotes = !inQuotes;
    } else if (!inQuotes && /[\s()]/.test(character)) break;
    else word += character;
  }
  if (inQuotes) throw new SearchError('Unterminated quoted phrase', at);
  if (word === '') throw new SearchError('Empty search term', at);
  if (!quoted && word === 'NOT') throw new SearchError('NOT is not supported', at);
  const kind = !quoted && (word === 'AND' || word === 'OR') ? word : 'term';
  return { token: { kind, text: word, at }, end };
}

function termOf({ text, at }: Token): TaskSearch {
  const [, before, after] = /^([^:]*):(.*)$/s.exec(text) ?? [];
  const field = FIELDS.find((known) => known === before?.toLowerCase());
  const value = field ? after! : text;
  if (!field && value.startsWith('-')) throw new SearchError("Negation with '-' is not supported", at);
  if (value === '') throw new SearchError('Search qualifier requires a value', at);
  if (field === 'state') return { kind: 'state', is: value };
  const [, name, is] = field === 'kwargs' ? (/^([^=]*)=(.*)$/s.exec(value) ?? []) : [];
  if (name !== undefined && is !== undefined) return { kind: 'kwarg', name: name.trim(), is: is.trim() };
  if (value.trim().length < MIN_TEXT_CHARACTERS) {
    throw new SearchError(`Substring search terms must contain at least ${MIN_TEXT_CHARACTERS} characters`, at);
  }
  return { kind: 'text', in: field ?? 'anything', text: value };
}
