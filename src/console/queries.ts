import type { z } from 'zod';
import { invalidRequest } from '../commands/refusal.ts';
import type { ConsoleContext } from './view.ts';

/** Returns the query of a request, without fields that a form left empty. */
export function queryOf(c: ConsoleContext): Record<string, string> {
  return Object.fromEntries(Object.entries(c.req.query()).filter(([, value]) => value !== ''));
}

/** Parses what was sent with a schema. @throws {Refusal} with the place of every fault. */
export function valid<Schema extends z.ZodType>(schema: Schema, given: unknown): z.output<Schema> {
  const parsed = schema.safeParse(given);
  if (parsed.success) return parsed.data;
  throw invalidRequest(parsed.error.issues.map(({ path, message }) => ({ path: path.join('.'), message })));
}
