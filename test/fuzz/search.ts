import { createActivities } from '../../src/activities/index.ts';
import type { Mutation } from './mutations.ts';
import { INGREDIENTS, type Ingredient, type Outcome, runSchedule } from './schedule.ts';
import { openSandbox, type Sandbox } from './temporal.ts';

export interface Search {
  /** One for each schedule. */
  seeds: Iterable<number>;
  /** Ends the search early. */
  milliseconds?: number;
  /** A change to the workflow code, to see that it is found. */
  mutation?: Mutation;
}

export function sandboxWith(mutation: Search['mutation']): Promise<Sandbox> {
  const names = Object.keys(
    createActivities({ db: undefined as never, forges: undefined as never, fire: undefined as never }),
  );
  return openSandbox(names, (code) => {
    if (!mutation) return code;
    const { before, after } = mutation;
    if (!code.includes(before)) throw new Error(`the workflow code does not hold "${before}"`);
    return code.replace(before, after);
  });
}

/** So many seeds from one on. */
export function* seedsFrom(seed: number, count: number): Iterable<number> {
  for (let n = 0; n < count; n++) yield seed + n;
}

/** Runs schedules until one has a violation, which it returns; undefined where none has. */
export async function search(
  { seeds, milliseconds = Number.POSITIVE_INFINITY, mutation }: Search,
  each: (outcome: Outcome) => void,
): Promise<Outcome | undefined> {
  const sandbox = await sandboxWith(mutation);
  const endsAt = performance.now() + milliseconds;
  for (const seed of seeds) {
    if (performance.now() > endsAt) return undefined;
    const outcome = await runSchedule(sandbox, seed, new Set());
    each(outcome);
    if (outcome.violations.length > 0) return outcome;
  }
  return undefined;
}

/** The ingredients that a violation needs: all others can be left out of its schedule. */
export async function shrink(
  seed: number,
  mutation: Search['mutation'],
): Promise<{ without: Set<Ingredient>; outcome: Outcome }> {
  const sandbox = await sandboxWith(mutation);
  const without = new Set<Ingredient>();
  let outcome = await runSchedule(sandbox, seed, without);
  for (const ingredient of INGREDIENTS) {
    const tried = await runSchedule(sandbox, seed, new Set([...without, ingredient]));
    if (tried.violations.length === 0) continue;
    without.add(ingredient);
    outcome = tried;
  }
  return { without, outcome };
}
