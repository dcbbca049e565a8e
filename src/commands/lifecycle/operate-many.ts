import { LIMITS } from '../../contracts/budgets.ts';
import type { Page } from '../../store/page.ts';
import { Refusal } from '../refusal.ts';

/** The outcome of an operation on many, by their ids. */
export interface ManyOutcome<Id> {
  done: Id[];
  refused: Array<{ id: Id; detail: string }>;
  /** Not tried, since the time was up. */
  left: Id[];
}

/** For requests whose response says what became of all. Nothing starts after this time, since clients wait for a minute at most. */
const MANY_WITHIN_MS = 20_000;

/** How many run at once: Temporal and the database answer several as fast as one. */
const AT_ONCE = 8;

/**
 * Runs an operation on many, some at a time. If one is refused, the others go on.
 * @param withinMs nothing starts after this time.
 * @throws {Refusal} if something that it needs is away; operations that were done before stay done.
 */
export async function operateMany<Id extends string | number>(
  ids: readonly Id[],
  operate: (id: Id) => Promise<unknown>,
  withinMs = MANY_WITHIN_MS,
): Promise<ManyOutcome<Id>> {
  const waiting = [...new Set(ids)];
  const outcome: ManyOutcome<Id> = { done: [], refused: [], left: [] };
  const giveUp = Date.now() + withinMs;
  let broken: unknown;
  const worker = async () => {
    while (broken === undefined && Date.now() < giveUp) {
      const id = waiting.shift();
      if (id === undefined) return;
      try {
        await operate(id);
        outcome.done.push(id);
      } catch (error) {
        // One that is still closing says nothing about the others.
        if (error instanceof Refusal && (error.kind === 'request' || error.code === 'still_closing'))
          outcome.refused.push({ id, detail: error.detail ?? error.message });
        else broken = error;
      }
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, worker));
  if (broken !== undefined) throw broken;
  outcome.left = waiting;
  return outcome;
}

/** How to find builds or tasks. */
interface Finder<Id, Filter, Item> {
  byIds(ids: readonly Id[]): Promise<Item[]>;
  list(filter: Filter & { limit: number }): Promise<Page<Item, string | number>>;
}

/**
 * Finds the builds or tasks among these that have one of the given statuses, newest first.
 * @returns at most `most`, and whether more match.
 */
export async function findFitting<
  Id,
  Status,
  Filter extends { status?: Status | undefined },
  Item extends { id: string | number; status: Status; created_at: string },
>(
  which: { ids: readonly Id[] } | { filter: Filter },
  statuses: readonly Status[],
  { byIds, list }: Finder<Id, Filter, Item>,
  most: number = LIMITS.lists.operatedAtOnce,
): Promise<{ items: Item[]; more: boolean }> {
  const pages =
    'ids' in which
      ? [{ items: await byIds(which.ids.slice(0, LIMITS.lists.operatedAtOnce)), end: undefined }]
      : await Promise.all(
          statuses
            .filter((status) => which.filter.status === undefined || which.filter.status === status)
            .map((status) => list({ ...which.filter, status, limit: most })),
        );
  const fitting = pages.flatMap(({ items }) => items).filter(({ status }) => statuses.includes(status));
  fitting.sort((a, b) => b.created_at.localeCompare(a.created_at) || (a.id < b.id ? 1 : -1));
  return { items: fitting.slice(0, most), more: fitting.length > most || pages.some(({ end }) => end !== undefined) };
}
