import { z } from 'zod';
import { LIMITS } from '../contracts/budgets.ts';
import { text } from '../contracts/text.ts';
import { timestamp } from '../contracts/timestamp.ts';
import type { Cursor } from '../store/page.ts';
import { invalidRequest } from './refusal.ts';

const numberCursor = z.tuple([timestamp, z.int().min(1)]);
const textCursor = z.tuple([timestamp, text(LIMITS.requests.cursorCharacters)]);

/** Encodes the end of a page for clients; null on the last page. */
export function writeCursor(end: Cursor<number | string> | undefined): string | null {
  return end ? Buffer.from(JSON.stringify([end.created_at, end.id])).toString('base64url') : null;
}

/** Decodes where a list with numbers for ids goes on; undefined at its beginning. @throws {Refusal} if it is not one of our cursors. */
export function readNumberCursor(cursor: string | undefined): Cursor<number> | undefined {
  return read(numberCursor, cursor);
}

/** Decodes where a list with texts for ids goes on; undefined at its beginning. @throws {Refusal} if it is not one of our cursors. */
export function readTextCursor(cursor: string | undefined): Cursor | undefined {
  return read(textCursor, cursor);
}

function read<Id extends number | string>(
  form: z.ZodType<[created_at: string, id: Id]>,
  cursor: string | undefined,
): Cursor<Id> | undefined {
  if (cursor === undefined) return undefined;
  try {
    const [created_at, id] = form.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
    return { created_at, id };
  } catch {
    throw invalidRequest([{ path: 'query.cursor', message: 'must be the next_cursor of a page' }]);
  }
}
