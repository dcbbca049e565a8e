import { operateMany } from '../commands/lifecycle/operate-many.ts';
import { SAMPLE } from '../contracts/many.ts';
import type { ApiContext } from './environment.ts';

/** Responds to a request for an operation on many: what became of each or, to a dry run, which they are. */
export async function answerMany<Item extends { id: string | number }, Summary>(
  c: ApiContext,
  { items, more }: { items: Item[]; more: boolean },
  asked: { operation: string; nouns: string; dry_run?: boolean | undefined },
  summaryOf: (item: Item) => Summary,
  operate: (id: Item['id']) => Promise<unknown>,
) {
  const { operation, nouns, dry_run } = asked;
  if (dry_run) return c.json({ count: items.length, more, sample: items.slice(0, SAMPLE).map(summaryOf) }, 200);
  const ids = items.map(({ id }): Item['id'] => id);
  const { done, refused, left } = await operateMany(ids, operate);
  c.var.log.info({ operation, done: done.length, refused: refused.length }, `${nouns} operated`);
  return c.json({ done, refused, more: more || left.length > 0 }, 202);
}
