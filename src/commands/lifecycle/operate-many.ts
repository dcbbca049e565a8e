import { Refusal } from '../refusal.ts';

/** The outcome of an operation on many, by their ids. */
export interface ManyOutcome<Id> {
  done: Id[];
  refused: Array<{ id: Id; detail: string }>;
  /** Not tried, since the time was up. */
  left: Id[];
}

/** For requests whose response says what became of all. Nothing starts after this time, since clients wait for a minute at most. */
export const MANY_WITHIN_MS = 20_000;

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
  withinMs: number,
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
        if (error instanceof Refusal && error.kind === 'request')
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
