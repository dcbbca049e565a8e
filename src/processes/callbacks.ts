import type { Settings } from '../contracts/settings.ts';
import { CallbackSender } from '../integrations/callback-sender.ts';

/** Whether callbacks can go to a host, as the settings say. */
export function refusalOfHost(settings: Settings): (host: string) => Promise<string | undefined> {
  const sender = callbackSenderOf(settings);
  return (host) => sender.refusalOf(host);
}

/** The sender of callbacks as the settings say. */
export function callbackSenderOf(settings: Settings): CallbackSender {
  return new CallbackSender({ secrets: settings.CALLBACK_SECRET, allowedHosts: settings.CALLBACK_ALLOWED_HOSTS });
}
