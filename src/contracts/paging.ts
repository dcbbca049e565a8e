import { z } from 'zod';
import { LIMITS } from './budgets.ts';
import { text } from './text.ts';

/** Query parameter: how many items a page has at most. */
export const pageLimit = z.coerce.number().int().min(1).max(LIMITS.requests.pageEntries).default(50);

/** Query parameter: where a page begins. */
export const pageCursor = text(LIMITS.requests.cursorCharacters).optional();

/** Member of a page: where the next one begins. */
export const nextCursor = z
  .string()
  .nullable()
  .meta({ description: 'Pass this as `cursor` to get the next page; null on the last page.' });
