import { z } from 'zod';
import { LIMITS } from './budgets.ts';
import { text } from './text.ts';

/** Query parameter: the most items on a page. */
export const pageLimit = z.coerce.number().int().min(1).max(LIMITS.requests.pageEntries).default(50);

/** Query parameter: where a page starts. */
export const pageCursor = text(LIMITS.requests.cursorCharacters).optional();

/** Member of a page: where the next page starts. */
export const nextCursor = z
  .string()
  .nullable()
  .meta({ description: 'Pass this as `cursor` to get the next page; null on the last page.' });

/** Query parameter: a text to look for. */
export const listText = text(LIMITS.lists.textCharacters).trim().min(1).optional();

/** Query parameter that is on or off. */
export const flag = z
  .enum(['true', 'false'])
  .transform((given) => given === 'true')
  .optional();

/** Query parameter: whether the page says how many items match. */
export const countFlag = flag.meta({
  type: 'string',
  enum: ['true', 'false'],
  description: 'Add `count` to the page.',
});

/** Member of a page: how many items match on all pages together. */
export const matchCount = z
  .object({
    value: z.int().meta({ description: `At most ${LIMITS.lists.countedEntries}.` }),
    exact: z.boolean().meta({ description: 'False: there may be more.' }),
  })
  .optional()
  .meta({ description: 'How many match on all pages together. Only with `count=true`.' });

/** Query parameter: how long to wait for the end. */
export const wait = z.coerce
  .number()
  .int()
  .min(0)
  .max(LIMITS.streams.waitSeconds)
  .optional()
  .meta({
    description: `Respond when it has ended, or after this many seconds with its state then. At most ${LIMITS.streams.waitSeconds}. Not with \`at\`.`,
    example: 30,
  });

/** The fault of a query that asks for the past and for the future. */
export const waitsInThePast = {
  error: 'cannot be combined with at: the past does not change',
  path: ['wait'],
};

/** Returns a schema of a query parameter: some of these words, comma separated. */
export const listOf = <Word extends string>(words: readonly Word[]) =>
  z
    .string()
    .max(LIMITS.requests.listCharacters)
    .transform((given, context): Word[] => {
      const named = new Set(given.split(','));
      const unknown = [...named].find((word) => !words.includes(word as Word));
      if (unknown === undefined) return [...named] as Word[];
      context.addIssue(`"${unknown.slice(0, 50)}" is none of ${words.join(', ')}`);
      return z.NEVER;
    });
