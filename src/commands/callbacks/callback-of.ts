import type { CallbackTarget } from '../../contracts/endings/callback-workflow.ts';
import { callbackTarget, hostOf } from '../../domain/endings/callback-url.ts';
import { Refusal } from '../refusal.ts';

/** The hosts that callbacks may go to. */
export interface CallbackHosts {
  /** CALLBACK_ALLOWED_HOSTS: they may have any address. */
  allowed: readonly string[];
  /** Says why no callback can go to a host, by what its name resolves to now; undefined if one can, or if nobody knows. */
  refusalOf(host: string): Promise<string | undefined>;
}

/**
 * Returns the target of the callback, if there is one. Resolves the name once here, so that a host that can never be called
 * is refused at once. Each try resolves it again and connects to the address that was checked.
 * @throws {Refusal} if it can never be called.
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

/** Returns the target of a URL, or why it can never be called. */
export async function checkedTarget(url: string, hosts: CallbackHosts): Promise<CallbackTarget | { fault: string }> {
  const target = callbackTarget(url, hosts.allowed);
  if ('fault' in target) return target;
  const host = hostOf(new URL(target.url));
  const refusal = hosts.allowed.includes(host) ? undefined : await hosts.refusalOf(host);
  return refusal === undefined ? target : { fault: `goes to ${host}, and ${refusal}` };
}
