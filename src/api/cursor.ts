import { z } from 'zod';
import type { BuildCursor } from '../store/build-list.ts';
import { ApiError } from './problem.ts';

const cursorForm = z.tuple([z.iso.datetime(), z.int().min(1)]);

/** Where a page ends, as clients pass it on. */
export function writeCursor({ created_at, id }: BuildCursor): string {
  return Buffer.from(JSON.stringify([created_at, id])).toString('base64url');
}

/** What a client passed on. @throws {ApiError} where it is none of ours. */
export function readCursor(cursor: string): BuildCursor {
  try {
    const [created_at, id] = cursorForm.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
    return { created_at, id };
  } catch {
    throw new ApiError('invalid_request', {
      errors: [{ path: 'query.cursor', message: 'must be the next_cursor of a page' }],
    });
  }
}
