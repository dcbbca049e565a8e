import { Refusal } from '../refusal.ts';

/** What became of many that something was asked of, by their ids. */
export interface ManyOutcome<Id> {
  done: Id[];
  refused: Array<{ id: Id; detail: string }>;
  /** Not tried, since time was up. */
  left: Id[];
}

/** So many at once: Temporal and the database answer several as fast as one. */
const AT_ONCE = 8;

/**
 * Asks something of many, some at a time. One that is refused does not hold up the others.
 * @param withinMs nothing is begun after this time.
 * @throws {Refusal} where what it needs is away; those that were asked before stay done.
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
