import { createHash } from 'node:crypto';
import type { Context } from 'hono';
import { Refusal } from '../../commands/refusal.ts';
import { PROBLEMS, type ProblemCode } from '../../contracts/problem.ts';
import { databaseFault } from '../../store/database.ts';
import { pythonJson } from './python.ts';

/** Pattern of the rest of a path, including slashes and line ends: clients choose names and ids freely. */
export const REST = '{[\\s\\S]+}';

/** A response other than 200, in Flower's form: plain text, or an empty page. */
export class FlowerError extends Error {
  readonly status: number;
  readonly type: 'text/plain' | 'text/html';

  constructor(status: number, text = '', type: 'text/plain' | 'text/html' = text === '' ? 'text/html' : 'text/plain') {
    super(text);
    this.status = status;
    this.type = type;
  }
}

/** Returns Flower's response if a worker refuses an order. It is not JSON. */
export function refused(text: string): FlowerError {
  return new FlowerError(403, text, 'text/html');
}

/** Responds with JSON as Flower writes it. A response to GET has an Etag. */
export function respond(c: Context, value: unknown): Response {
  const body = pythonJson(value);
  c.header('Content-Type', 'application/json; charset=UTF-8');
  if (c.req.method === 'GET') {
    const etag = `"${createHash('sha1').update(body).digest('hex')}"`;
    c.header('Etag', etag);
    if (c.req.header('if-none-match') === etag) return c.body(null, 304);
  }
  return c.body(body, 200);
}

const UNAVAILABLE = 'Broker or result backend unavailable';

const OURS = new Set<ProblemCode>(['idempotency_key_reused', 'forbidden', 'rate_limited', 'too_many_in_flight']);

/** Returns what went wrong as Flower says it. */
export function asFlowerError(thrown: unknown): FlowerError {
  if (thrown instanceof FlowerError) return thrown;
  if (databaseFault(thrown)?.kind === 'values') return new FlowerError(400, 'Invalid argument');
  if (databaseFault(thrown)?.kind === 'away') return new FlowerError(503, UNAVAILABLE);
  if (!(thrown instanceof Refusal)) return new FlowerError(500);
  if (thrown.kind === 'unavailable') return new FlowerError(503, UNAVAILABLE);
  // Flower has no Idempotency-Key, no rights and no limits, so these responses are Hapax's own.
  if (OURS.has(thrown.code)) return new FlowerError(PROBLEMS[thrown.code].status, thrown.message);
  return thrown.kind === 'request' ? new FlowerError(400, thrown.message) : new FlowerError(500);
}

/** Reads the arguments of a request as Flower does: from the query and from a form, never from JSON. */
export async function argumentsOf(c: Context): Promise<(name: string) => string | undefined> {
  const query = new URL(c.req.url).searchParams;
  const isForm = /^application\/x-www-form-urlencoded\b/i.test(c.req.header('content-type') ?? '');
  const form = isForm ? new URLSearchParams(await c.req.text()) : new URLSearchParams();
  // Tornado uses the last one, and arguments in the body come after those in the query.
  return (name) => (form.getAll(name).at(-1) ?? query.getAll(name).at(-1))?.trim();
}

/** @throws {FlowerError} 400 */
export function readInt(text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^[+-]?\d+$/.test(text)) throw new FlowerError(400, `Invalid argument '${text}' of type 'int'`);
  return Number(text);
}

/** @throws {FlowerError} 400 */
export function readFloat(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  const value = Number(text);
  if (!Number.isFinite(value)) throw new FlowerError(400, `Invalid argument '${text}' of type 'float'`);
  return value;
}

const TRUTHS: Readonly<Record<string, boolean>> = {
  ...{ y: true, yes: true, t: true, true: true, on: true, 1: true },
  ...{ n: false, no: false, f: false, false: false, off: false, 0: false },
};

/** @throws {FlowerError} 400 */
export function readBool(text: string | undefined): boolean {
  if (text === undefined || text === '') return false;
  const value = Object.hasOwn(TRUTHS, text.toLowerCase()) ? TRUTHS[text.toLowerCase()] : undefined;
  if (value === undefined) throw new FlowerError(400, `Invalid argument '${text}' of type 'bool'`);
  return value;
}
