import { LIMITS } from '../../contracts/budgets.ts';
import { type Signature, type SignatureOptions, signature } from '../../contracts/celery/celery.ts';
import { plain } from '../../contracts/celery/kombu-json.ts';
import { isStorableInstant } from '../../contracts/timestamp.ts';
import { checked, Refused } from './refused.ts';

/** Turns values that kombu marks into plain JSON. @throws {Refused} */
export function written(value: unknown): unknown {
  try {
    return plain(value);
  } catch (error) {
    throw new Refused('not_a_task', (error as Error).message);
  }
}

/** Reads a time as Python writes it. A time without an offset is UTC, a date is its midnight, and a number is seconds since 1970. */
export function instant(value: string | number | null, name: string): string | null {
  if (value === null) return null;
  const date = new Date(typeof value === 'number' ? value * 1_000 : isoTime(value));
  if (!isStorableInstant(date)) throw new Refused('not_a_task', `${name}: is no ISO 8601 time in the years 1 to 9999`);
  return date.toISOString();
}

function isoTime(text: string): string {
  const time = /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00` : text;
  // Python's offsets may have seconds: those of cities before there were time zones.
  const [, offset] = /([+-]\d\d:?\d\d)(?::?\d\d(?:\.\d+)?)?$/.exec(time.slice('YYYY-MM-DD'.length)) ?? [];
  if (offset) return time.slice(0, time.lastIndexOf(offset)) + offset;
  return /Z$/i.test(time) ? time : `${time}Z`;
}

/** Checks the signatures that are published when the task has ended, while the sender still listens. @throws {Refused} */
export function checkSignatures(signatures: Signature[]): void {
  for (const one of signatures) checkSignature(one);
}

/** Says whether a signature is published as it is: one task, or a group of such. Only Celery itself can unfold anything else. */
export function isPlain({ subtask_type, kwargs }: Signature): boolean {
  return subtask_type === null || (subtask_type === 'group' && groupMembers(kwargs).every(isPlain));
}

/** Returns the first of these signatures, or of those that follow them, that only Celery can unfold. */
export function findCanvas(signatures: Signature[]): Signature | undefined {
  for (const one of signatures) {
    const found = isPlain(one) ? findCanvas(followersOf(one)) : one;
    if (found) return found;
  }
  return undefined;
}

function followersOf({ options: { link, link_error, chain, chord } }: Signature): Signature[] {
  return [...link, ...link_error, ...chain, ...(chord ? [chord] : [])];
}

/** Returns the members of a group that follows a task. @throws {Refused} if they are not signatures. */
export function groupMembers(kwargs: Record<string, unknown>): Signature[] {
  return checked(signature.array(), kwargs.tasks, 'group');
}

/** Returns the members of a chord, which are a list or a group. @throws {Refused} if they are not signatures. */
export function chordMembers(kwargs: Record<string, unknown>): Signature[] {
  const { header } = kwargs;
  const tasks = Array.isArray(header) ? header : (header as { kwargs?: { tasks?: unknown } } | null)?.kwargs?.tasks;
  return checked(signature.array(), tasks, 'chord');
}

/** Returns the signature that comes after a chord. @throws {Refused} if there is none. */
export function chordBody(kwargs: Record<string, unknown>): Signature {
  return checked(signature, kwargs.body, 'chord');
}

/** Writes a signature as Celery does: without the options that are not set, and with times marked as such. */
export function asCelery({ options, ...of }: Signature): Record<string, unknown> {
  const { link, link_error, chain, chord, ...others } = options;
  const given = Object.entries(others).filter(([, value]) => value !== null && !isEmpty(value));
  const lists = Object.entries({ link, link_error, chain }).filter(([, list]) => list.length > 0);
  return {
    ...of,
    options: {
      ...Object.fromEntries(given.map(([name, value]) => [name, TIMES.has(name) ? markedTime(value) : value])),
      ...Object.fromEntries(lists.map(([name, list]) => [name, list.map(asCelery)])),
      ...(chord && { chord: asCelery(chord) }),
    },
  };
}

const TIMES: ReadonlySet<string> = new Set(['eta', 'expires']);

function markedTime(value: unknown): unknown {
  return typeof value === 'string' ? { __type__: 'datetime', __value__: value } : value;
}

function isEmpty(value: unknown): boolean {
  return typeof value === 'object' && value !== null && Object.keys(value).length === 0;
}

/**
 * Returns what a signature puts into the headers of its message. Stamps are among its options, under the names that `stamped_headers`
 * lists.
 */
export function headersOf(options: SignatureOptions): Record<'headers' | 'stamps', Record<string, unknown>> {
  const { headers = {}, stamped_headers = [] } = options;
  const all = options as unknown as Record<string, unknown>;
  const stamped = stamped_headers.filter((stamp) => Object.hasOwn(all, stamp));
  const stamps = Object.fromEntries(stamped.map((stamp) => [stamp, all[stamp]]));
  return written({ headers, stamps }) as Record<'headers' | 'stamps', Record<string, unknown>>;
}

function checkSignature(of: Signature): void {
  const { task, subtask_type, options, kwargs } = of;
  if (JSON.stringify(headersOf(options)).length > LIMITS.messages.headersCharacters) {
    const most = LIMITS.messages.headersCharacters;
    throw new Refused('too_large', `${task}: its headers and stamps have more than ${most} characters of JSON`);
  }
  instant(options.eta, `${task}: eta`);
  if (typeof options.expires === 'string') instant(options.expires, `${task}: expires`);
  if (subtask_type === 'group') checkSignatures(groupMembers(kwargs));
  checkSignatures(followersOf(of));
}
