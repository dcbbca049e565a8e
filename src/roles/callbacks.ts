import type { Settings } from '../contracts/settings.ts';
import { CallbackSender } from '../integrations/callback-sender.ts';

/** The sender of callbacks as the settings say. */
export function callbackSenderOf(settings: Settings): CallbackSender {
  return new CallbackSender({ secrets: settings.CALLBACK_SECRET, allowedHosts: settings.CALLBACK_ALLOWED_HOSTS });
}
