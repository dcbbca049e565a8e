import { Failure } from '../failure.ts';
import { moment } from '../output/moments.ts';
import { note } from '../output/screen.ts';
import type { Api } from './api.ts';
import { keepKey } from './kept-key.ts';

export interface Sending {
  /** What the request makes, for messages. */
  what: string;
  body: object;
  /** A key of the user's own. */
  idempotencyKey?: string;
  /** Makes another one, also where an earlier command got no response. */
  new?: boolean;
}

/**
 * Sends what makes something, with a key that is on disk until the response has come. A command that is killed before that, and is
 * run again, so gets what it made.
 * @throws {Failure}
 */
export async function sendOnce<T>(api: Api, path: string, { what, body, idempotencyKey, new: fresh = false }: Sending) {
  const kept = idempotencyKey === undefined ? keepKey([api.target.url, path, body], process.env, { fresh }) : undefined;
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
    const { status = 500 } = error instanceof Failure ? error.fault : {};
    if (status < 500) kept?.drop();
    throw error;
  }
}
