import type { CallbackTarget } from '../../contracts/endings/callback-workflow.ts';
import { callbackTarget, hostOf } from '../../domain/endings/callback-url.ts';
import { Refusal } from '../refusal.ts';

/** Which hosts callbacks may go to. */
export interface CallbackHosts {
  /** CALLBACK_ALLOWED_HOSTS: they may have any address. */
  allowed: readonly string[];
  /** Why no callback can go to a host, by what its name resolves to now; undefined where one can, or where nobody can say. */
  refusalOf(host: string): Promise<string | undefined>;
}

/**
 * Where the callback goes, if there is one. The name is resolved once here, so that a host that can never be called is refused at once;
 * each try resolves it again and connects to what was checked.
 * @throws {Refusal} where it can never be called.
 */
export async function callbackOf(
  url: string | null | undefined,
  hosts: CallbackHosts,
): Promise<CallbackTarget | undefined> {
  if (!url) return undefined;
  const target = await checkedTarget(url, hosts);
  if ('fault' in target) {
    throw new Refusal('unprocessable_callback_url', { detail: `callback_url ${target.fault}` });
  }
  return target;
}

/** Where a URL leads, or why it can never be called. */
export async function checkedTarget(url: string, hosts: CallbackHosts): Promise<CallbackTarget | { fault: string }> {
  const target = callbackTarget(url, hosts.allowed);
  if ('fault' in target) return target;
  const host = hostOf(new URL(target.url));
  const refusal = hosts.allowed.includes(host) ? undefined : await hosts.refusalOf(host);
  return refusal === undefined ? target : { fault: `goes to ${host}, and ${refusal}` };
}
