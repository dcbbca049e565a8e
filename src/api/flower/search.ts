import type { TaskSearch } from '../../contracts/task-search.ts';

/** What is wrong with a search, and where. */
export class SearchError extends Error {}

interface Token {
  text: string;
  at: number;
}

const MIN_TEXT_CHARACTERS = 3;

/**
 * Reads a search as Flower does: terms `state:X`, `args:X`, `kwargs:K=V`, `result:X` or plain text, which have to match all
 * unless OR is between them, with parentheses.
 * @throws {SearchError}
 */
export function parseSearch(text: string): TaskSearch | undefined {
  const tokens = [...text.matchAll(/[()]|"[^"]*"|[^\s()]+/g)].map(({ 0: token, index }) => ({
    text: token,
    at: index,
  }));
  if (tokens.length === 0) return undefined;
  let next = 0;

  function any(): TaskSearch {
    const of = [all()];
    while (tokens[next]?.text === 'OR') {
      next += 1;
      of.push(all());
    }
    return of.length === 1 ? of[0]! : { kind: 'any', of };
  }

  function all(): TaskSearch {
    const of = [one()];
    for (let token = tokens[next]; token && token.text !== 'OR' && token.text !== ')'; token = tokens[next]) {
      if (token.text === 'AND') next += 1;
      of.push(one());
    }
    return of.length === 1 ? of[0]! : { kind: 'all', of };
  }

  function one(): TaskSearch {
    const token = tokens[next];
    if (!token) throw new SearchError(`Unexpected end of the search at position ${text.length}.`);
    next += 1;
    if (token.text !== '(') return termOf(token);
    const inner = any();
    if (tokens[next]?.text !== ')') throw new SearchError(`Missing closing parenthesis for position ${token.at}.`);
    next += 1;
    return inner;
  }

  const search = any();
  const rest = tokens[next];
  if (rest) throw new SearchError(`Unexpected '${rest.text}' at position ${rest.at}.`);
  return search;
}

function termOf({ text, at }: Token): TaskSearch {
  if (text === ')' || text === 'OR' || text === 'AND') {
    throw new SearchError(`Unexpected '${text}' at position ${at}.`);
  }
  const [, place, value = ''] = /^(state|args|kwargs|result):(.*)$/s.exec(text) ?? [];
  if (place === 'state') return { kind: 'state', is: value };
  const [, name, is] = place === 'kwargs' ? (/^([^=]+)=(.*)$/s.exec(value) ?? []) : [];
  if (name !== undefined && is !== undefined) return { kind: 'kwarg', name, is: is.replace(/^"(.*)"$/s, '$1') };
  const sought = (place === undefined ? text : value).replace(/^"(.*)"$/s, '$1');
  if (sought.length < MIN_TEXT_CHARACTERS) {
    throw new SearchError(
      `Substring search terms must contain at least ${MIN_TEXT_CHARACTERS} characters at position ${at}.`,
    );
  }
  return { kind: 'text', in: (place as 'args' | 'kwargs' | 'result' | undefined) ?? 'anything', text: sought };
}
