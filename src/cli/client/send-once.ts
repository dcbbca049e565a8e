import { Failure, misuse } from '../failure.ts';
import { moment } from '../output/moments.ts';
import { note } from '../output/screen.ts';
import type { Api } from './api.ts';
import { type KeptKey, keepKey } from './kept-key.ts';

export interface Sending {
  /** What the request makes, for messages. */
  what: string;
  body: object;
  /** A key of the user's own. */
  idempotencyKey?: string;
  /** Makes another one, also where an earlier command got no response. */
  new?: boolean;
}

const AGAIN = 'the same command again is safe: it makes nothing twice';

/**
 * Sends what makes something, with a key that is on disk until the response has come. A command that is killed before that, and is
 * run again, so gets what it made.
 * @throws {Failure}
 */
export async function sendOnce<T>(api: Api, path: string, { what, body, idempotencyKey, new: fresh = false }: Sending) {
  const kept = idempotencyKey === undefined ? keep([api.target.url, path, body], fresh) : undefined;
  if (kept?.since) {
    const since = moment(kept.since.toISOString());
    note(`hapax: the same command of ${since} got no response; asking for its ${what} (--new makes another)`);
  }
  try {
    const { json, headers } = await api.answer<T>(path, {
      method: 'POST',
      body,
      headers: { 'idempotency-key': idempotencyKey ?? kept!.key },
      repeatable: true,
    });
    kept?.drop();
    return { json, replayed: headers.get('idempotent-replayed') === 'true' };
  } catch (error) {
    // A refusal is a response: nothing was made, and nothing will be.
    if (!(error instanceof Failure)) throw error;
    const { status = 500, detail } = error.fault;
    if (status >= 500)
      throw new Failure(error.exit, { ...error.fault, detail: [detail, AGAIN].filter(Boolean).join('; ') });
    kept?.drop();
    throw error;
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
