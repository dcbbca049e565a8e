import { LIMITS } from '../../contracts/budgets.ts';
import { type FollowUps, type Signature, type SignatureOptions, signature } from '../../contracts/celery/celery.ts';
import { plain } from '../../contracts/celery/kombu-json.ts';
import { isStorableInstant } from '../../contracts/timestamp.ts';
import { checked, Refused } from './refused.ts';

/** Kinds of signatures that can follow a task: plain ones, and groups, which are published member by member. */
const CANVAS: ReadonlySet<string | null> = new Set([null, 'group']);

/** Plain JSON of what kombu marks. @throws {Refused} */
export function written(value: unknown): unknown {
  try {
    return plain(value);
  } catch (error) {
    throw new Refused('not_a_task', (error as Error).message);
  }
}

/** A time as Python writes it: without an offset it is UTC, a date is its midnight; a number is seconds since 1970. */
export function instant(value: string | number | null, name: string): string | null {
  if (value === null) return null;
  const date = new Date(typeof value === 'number' ? value * 1_000 : isoTime(value));
  if (!isStorableInstant(date)) throw new Refused('not_a_task', `${name}: is no ISO 8601 time in the years 1 to 9999`);
  return date.toISOString();
}

function isoTime(text: string): string {
  const time = /^\d{4}-\d\d-\d\d$/.test(text) ? `${text}T00:00` : text;
  // Offsets of Python may have seconds: those of cities before there were time zones.
  const [, offset] = /([+-]\d\d:?\d\d)(?::?\d\d(?:\.\d+)?)?$/.exec(time.slice('YYYY-MM-DD'.length)) ?? [];
  if (offset) return time.slice(0, time.lastIndexOf(offset)) + offset;
  return /Z$/i.test(time) ? time : `${time}Z`;
}

export function refuseChord(chord: unknown): void {
  if (chord !== null)
    throw new Refused('unsupported_canvas', 'a chord needs a result back end that counts; use a chain');
}

/** Refuses now, while the sender still listens, what could not be published when the task has ended. */
export function refuseOtherCanvas({ callbacks, errbacks, chain }: FollowUps): void {
  for (const step of [...callbacks, ...errbacks, ...chain]) refuseOther(step);
}

/** The members of a group that follows a task. @throws {Refused} where they are none. */
export function groupMembers(kwargs: Record<string, unknown>): Signature[] {
  return checked(signature.array(), kwargs.tasks, 'group');
}

/** What a signature puts into the headers of its message. Stamps stand among its options, under names that one of them lists. */
export function headersOf(options: SignatureOptions): Record<'headers' | 'stamps', Record<string, unknown>> {
  const { headers = {}, stamped_headers = [] } = options;
  const all = options as unknown as Record<string, unknown>;
  const stamped = stamped_headers.filter((stamp) => Object.hasOwn(all, stamp));
  const stamps = Object.fromEntries(stamped.map((stamp) => [stamp, all[stamp]]));
  return written({ headers, stamps }) as Record<'headers' | 'stamps', Record<string, unknown>>;
}

function refuseOther({ task, subtask_type, options, kwargs }: Signature): void {
  if (!CANVAS.has(subtask_type)) {
    throw new Refused(
      'unsupported_canvas',
      `${task}: a ${subtask_type} cannot follow a task here; use a chain or a group`,
    );
  }
  if (JSON.stringify(headersOf(options)).length > LIMITS.messages.headersCharacters) {
    const most = LIMITS.messages.headersCharacters;
    throw new Refused('too_large', `${task}: its headers and stamps have more than ${most} characters of JSON`);
  }
  instant(options.eta, `${task}: eta`);
  if (typeof options.expires === 'string') instant(options.expires, `${task}: expires`);
  if (subtask_type === 'group') for (const member of groupMembers(kwargs)) refuseOther(member);
  refuseChord(options.chord);
  refuseOtherCanvas({ callbacks: options.link, errbacks: options.link_error, chain: options.chain });
}
