import { EXIT, Failure, misuse } from '../failure.ts';
import { moment } from '../output/moments.ts';
import { note } from '../output/screen.ts';
import type { Api } from './api.ts';
import { type KeptKey, keepKey } from './kept-key.ts';

export interface Sending {
  /** The kind of thing that the request creates, for messages. */
  what: string;
  /** Makes the body of the request. `given` is when the command was first given, so that each attempt sends the same. */
  body: (given: Date) => object;
  /** The user's own key. */
  idempotencyKey?: string;
  /** Creates another one, even if an earlier command got no response. */
  new?: boolean;
}

const AGAIN = 'the same command again is safe: it makes nothing twice';

/**
 * Sends a request that creates something, with a key that stays on disk until the response has come. If the command is killed before that
 * and run again, it gets what it had created.
 * @throws {Failure}
 */
export async function sendOnce<T>(api: Api, path: string, { what, body, idempotencyKey, new: fresh = false }: Sending) {
  // Relative times make two commands the same if they are the same after one moment.
  const kept = idempotencyKey === undefined ? keep([api.target.url, path, body(new Date(0))], fresh) : undefined;
  if (kept?.isRepeated) {
    const since = moment(kept.since.toISOString());
    note(`hapax: the same command of ${since} got no response; asking for its ${what} (--new makes another)`);
  }
  let isRepeated = kept?.isRepeated ?? false;
  try {
    const { json, headers } = await api.answer<T>(path, {
      method: 'POST',
      body: body(kept?.since ?? new Date()),
      headers: { 'idempotency-key': idempotencyKey ?? kept!.key },
      repeatable: true,
      onRepeat: () => (isRepeated = true),
    });
    kept?.drop();
    return { json, replayed: headers.get('idempotent-replayed') === 'true' };
  } catch (error) {
    if (!(error instanceof Failure)) throw error;
    // A refusal of the only request: nothing was created. An earlier request may have created it, whatever the last response says.
    if (!isRepeated && error.exit !== EXIT.unreachable) {
      kept?.drop();
      throw error;
    }
    const { fault } = error;
    throw new Failure(error.exit, { ...fault, detail: [fault.detail, AGAIN].filter(Boolean).join('; ') });
  }
}

function keep(request: unknown, fresh: boolean): KeptKey {
  try {
    return keepKey(request, process.env, { fresh });
  } catch (error) {
    const { message } = error as Error;
    throw misuse(
      `The key of this request cannot be kept (${message})`,
      'set XDG_STATE_HOME, or give --idempotency-key',
    );
  }
}
