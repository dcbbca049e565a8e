import type { Fault } from './faults.ts';
import { headShaOf } from './resources.ts';
import { type Moment, type Run, runAt } from './run.ts';
import type { Settings } from './settings.ts';

/** A run and the state in which it is shown. */
export interface Shown {
  run: Run;
  state: Moment;
}

/** One page of a listing. */
export interface Page {
  totalCount: number;
  shown: Shown[];
  /** Value of the `Link` header; undefined if there is only one page. */
  link: string | undefined;
}

const FILTER_NAMES = ['actor', 'branch', 'created', 'event', 'head_sha', 'status', 'check_suite_id'];

/** Says whether the query filters the listing. GitHub then uses another index, which is less reliable. */
function isFiltered(query: URLSearchParams): boolean {
  return FILTER_NAMES.some((name) => query.has(name));
}

/**
 * Returns a page of runs, filtered as GitHub filters.
 *
 * @param runs those of one repository (or workflow), newest first
 * @param url the URL of the request, with its query
 * @param fault the fault of this request, which adds to the settings
 */
export function pageOf(runs: readonly Run[], url: URL, fault: Fault | undefined, settings: Settings): Page {
  const query = url.searchParams;
  const filtered = isFiltered(query);
  const at = Date.now() - (fault?.kind === 'stale' ? fault.ms : 0);
  const lagMs = Math.max(settings.listing_lag_ms, fault?.kind === 'lag' ? fault.ms : 0);
  const hidesAll = filtered && settings.filtered_listings === 'empty';
  const omitted = fault?.kind === 'omit' ? (fault.count ?? Number.POSITIVE_INFINITY) : 0;
  const matching = runs
    .filter((run) => run.createdAt <= at - lagMs)
    .flatMap((run) => {
      const state = runAt(run, at);
      return state !== undefined && fits(run, state, query) ? [{ run, state }] : [];
    })
    .slice(hidesAll ? Number.POSITIVE_INFINITY : omitted);
  // A search finds at most 1,000 runs, however many there are.
  const reachable = filtered ? matching.slice(0, 1_000) : matching;

  const { page, perPage, start, end } = boundsOf(query);
  return {
    totalCount: matching.length,
    shown: reachable.slice(start, end - settings.short_pages),
    link: linkHeader(url, page, Math.max(1, Math.ceil(reachable.length / perPage))),
  };
}

/** Returns the bounds of the page that a query names. @param size the parameter for the page size. */
export function boundsOf(query: URLSearchParams, size = 'per_page', most = 100) {
  const perPage = Math.min(most, positive(query.get(size)) ?? 30);
  const page = positive(query.get('page')) ?? 1;
  return { page, perPage, start: (page - 1) * perPage, end: page * perPage };
}

function fits(run: Run, state: Moment, query: URLSearchParams): boolean {
  const is = (name: string, ...values: (string | null)[]) => {
    const wanted = query.get(name);
    return wanted === null || wanted === '' || values.includes(wanted);
  };
  return (
    is('actor', run.actor) &&
    is('branch', run.ref) &&
    is('event', run.event) &&
    is('head_sha', headShaOf(run)) &&
    is('status', state.status, state.conclusion) &&
    is('check_suite_id', String(run.id)) &&
    createdWithin(query.get('created'), run.createdAt)
  );
}

/** Evaluates GitHub's date search: `2026-01-31`, `>=...`, `<...`, `a..b`, `*..b`, with or without a time of day. */
function createdWithin(expression: string | null, createdAt: number): boolean {
  if (expression === null || expression === '') return true;
  // Compares what is shown: whole seconds.
  const created = Math.floor(createdAt / 1_000) * 1_000;
  const [from, to] = expression.split('..');
  if (from !== undefined && to !== undefined) {
    return (from === '*' || created >= Date.parse(from)) && (to === '*' || created <= endOf(to));
  }
  const [, operator = '', date = ''] = /^(>=|<=|>|<)?(.*)$/.exec(expression) ?? [];
  switch (operator) {
    case '>=':
      return created >= Date.parse(date);
    case '>':
      return created > endOf(date);
    case '<=':
      return created <= endOf(date);
    case '<':
      return created < Date.parse(date);
    default:
      return created >= Date.parse(date) && created <= endOf(date);
  }
}

/** Returns the last instant of a date. A day without a time is the whole day, in UTC. */
function endOf(date: string): number {
  return Date.parse(date) + (date.includes('T') ? 0 : 86_399_999);
}

function positive(text: string | null): number | undefined {
  const value = Number(text);
  return Number.isInteger(value) && value > 0 ? value : undefined;
}

function linkHeader(url: URL, page: number, lastPage: number): string | undefined {
  if (lastPage === 1 && page === 1) return undefined;
  const relations: [string, number][] = [];
  if (page > 1) relations.push(['prev', Math.min(page - 1, lastPage)]);
  if (page < lastPage) relations.push(['next', page + 1], ['last', lastPage]);
  if (page > 1) relations.push(['first', 1]);
  return relations
    .map(([relation, target]) => {
      const link = new URL(url);
      link.searchParams.set('page', String(target));
      return `<${link.href}>; rel="${relation}"`;
    })
    .join(', ');
}
