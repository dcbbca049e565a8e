/**
 * Queries over lexemes like Postgres's tsquery, and their matches in a tsvector, for stores that have neither. They read the text
 * that `asked-words.ts` and `search-words.ts` write, with its operators and no others.
 */

/** A tsquery, parsed. */
export type LexemeQuery =
  | { kind: 'lexeme'; lexeme: string }
  | { kind: 'all' | 'any'; parts: LexemeQuery[] }
  /** Lexemes at these distances, each from the one before it. */
  | { kind: 'phrase'; parts: Array<{ lexeme: string; distance: number }> };

/** The places of a lexeme in a text. */
export interface LexemePlaces {
  positions: ReadonlySet<number>;
  /** The weight of its best place: Postgres's own weights of A, B, C and D. */
  weight: number;
}
export type Lexemes = ReadonlyMap<string, LexemePlaces>;

const WEIGHTS: Record<string, number> = { A: 1, B: 0.4, C: 0.2, D: 0.1 };
const TOKEN = /'((?:[^'\\]|''|\\.)*)'|<(-|\d+)>|[&|()]/gsu;

/** Reads a tsquery; undefined for an empty one. */
export function readLexemeQuery(text: string): LexemeQuery | undefined {
  const tokens = [...text.matchAll(TOKEN)];
  if (tokens.length === 0) return undefined;
  let at = 0;
  const operator = () => tokens[at]?.[0];
  const listOf = (kind: 'all' | 'any', sign: string, next: () => LexemeQuery): LexemeQuery => {
    const parts = [next()];
    for (; operator() === sign; parts.push(next())) at += 1;
    return parts.length === 1 ? parts[0]! : { kind, parts };
  };
  const any = (): LexemeQuery => listOf('any', '|', () => listOf('all', '&', phrase));
  const phrase = (): LexemeQuery => {
    const first = atom();
    if (first.kind !== 'lexeme' || !operator()?.startsWith('<')) return first;
    const parts = [{ lexeme: first.lexeme, distance: 0 }];
    while (operator()?.startsWith('<')) {
      const [, , distance = ''] = tokens[at++]!;
      parts.push({ lexeme: unquoted(tokens[at++]?.[1] ?? ''), distance: distance === '-' ? 1 : Number(distance) });
    }
    return { kind: 'phrase', parts };
  };
  const atom = (): LexemeQuery => {
    const token = tokens[at++];
    if (token?.[0] !== '(') return { kind: 'lexeme', lexeme: unquoted(token?.[1] ?? '') };
    const inner = any();
    at += 1;
    return inner;
  };
  return any();
}

/** Reads a tsvector. */
export function readLexemes(text: string): Lexemes {
  const lexemes = new Map<string, LexemePlaces>();
  for (const [, lexeme = '', places = ''] of text.matchAll(/'((?:[^'\\]|''|\\.)*)':([\d,A-D]+)/gsu)) {
    const all = places.split(',');
    const weight = Math.max(...all.map((place) => WEIGHTS[place.at(-1) ?? ''] ?? 0.1));
    lexemes.set(unquoted(lexeme), { positions: new Set(all.map((place) => Number.parseInt(place, 10))), weight });
  }
  return lexemes;
}

function unquoted(lexeme: string): string {
  return lexeme.replaceAll("''", "'").replaceAll(/\\(.)/gsu, '$1');
}

/** Says whether a text matches a query. */
export function hasLexemes(lexemes: Lexemes, query: LexemeQuery): boolean {
  switch (query.kind) {
    case 'lexeme':
      return lexemes.has(query.lexeme);
    case 'all':
      return query.parts.every((part) => hasLexemes(lexemes, part));
    case 'any':
      return query.parts.some((part) => hasLexemes(lexemes, part));
    case 'phrase': {
      let ends: ReadonlySet<number> | undefined;
      for (const { lexeme, distance } of query.parts) {
        const before = ends;
        const positions = lexemes.get(lexeme)?.positions ?? new Set<number>();
        ends = before ? new Set([...positions].filter((position) => before.has(position - distance))) : positions;
      }
      return ends !== undefined && ends.size > 0;
    }
    default:
      return query satisfies never;
  }
}

/** Returns all lexemes that a query names. */
export function lexemesOf(query: LexemeQuery): string[] {
  if (query.kind === 'lexeme') return [query.lexeme];
  if (query.kind === 'phrase') return query.parts.map(({ lexeme }) => lexeme);
  return query.parts.flatMap(lexemesOf);
}

/** Returns how well a text matches a query: the weight of the best place of its lexemes; 0 if it does not match. */
export function lexemeRank(lexemes: Lexemes, query: LexemeQuery): number {
  if (!hasLexemes(lexemes, query)) return 0;
  return Math.max(0, ...lexemesOf(query).map((lexeme) => lexemes.get(lexeme)?.weight ?? 0));
}
