import type { CallbackTarget } from '../../contracts/callback-workflow.ts';
import { callbackTarget } from '../../domain/callback-url.ts';
import { ApiError } from '../problem.ts';

/** Whom to tell of the end, if anybody. @throws {ApiError} where it can never be told. */
export function callbackOf(
  url: string | null | undefined,
  allowedHosts: readonly string[],
): CallbackTarget | undefined {
  if (!url) return undefined;
  const target = callbackTarget(url, allowedHosts);
  if ('fault' in target) {
    throw new ApiError('unprocessable_callback_url', { detail: `callback_url ${target.fault}` });
  }
  return target;
}
