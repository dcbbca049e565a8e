import { z } from 'zod';
import type { BuildCursor } from '../store/build-list.ts';
import type { TaskCursor } from '../store/task-list.ts';
import { ApiError } from './problem.ts';

const buildCursor = z.tuple([z.iso.datetime(), z.int().min(1)]);
const textCursor = z.tuple([z.iso.datetime(), z.string()]);

/** Where a page ends, as clients pass it on. */
export function writeCursor({ created_at, id }: BuildCursor | TaskCursor): string {
  return Buffer.from(JSON.stringify([created_at, id])).toString('base64url');
}

/** What a client passed on to a list of builds. @throws {ApiError} where it is none of ours. */
export function readCursor(cursor: string): BuildCursor {
  const [created_at, id] = read(buildCursor, cursor);
  return { created_at, id };
}

/** What a client passed on to a list of things with a text for an id. @throws {ApiError} where it is none of ours. */
export function readTextCursor(cursor: string): TaskCursor {
  const [created_at, id] = read(textCursor, cursor);
  return { created_at, id };
}

function read<Form extends z.ZodType>(form: Form, cursor: string): z.output<Form> {
  try {
    return form.parse(JSON.parse(Buffer.from(cursor, 'base64url').toString()));
  } catch {
    throw new ApiError('invalid_request', {
      errors: [{ path: 'query.cursor', message: 'must be the next_cursor of a page' }],
    });
  }
}
