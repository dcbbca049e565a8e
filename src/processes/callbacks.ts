import type { SendToReceiver } from '../commands/subscriptions/subscription-dependencies.ts';
import type { Settings } from '../contracts/settings.ts';
import { callbackOutcome } from '../domain/endings/callback-answer.ts';
import { CallbackSender } from '../integrations/callback-sender.ts';

/** Whether callbacks can go to a host, as the settings say. */
export function refusalOfHost(settings: Settings): (host: string) => Promise<string | undefined> {
  const sender = callbackSenderOf(settings);
  return (host) => sender.refusalOf(host);
}

/** Sends to receivers of subscriptions. */
export function sendToReceiverOf(sender: CallbackSender): SendToReceiver {
  return async ({ url, ...own }, { contentType, ...message }) => {
    const outcome = callbackOutcome(await sender.send(url, message, { ...own, contentType }), Date.now());
    const { status } = outcome;
    return outcome.kind === 'delivered'
      ? { delivered: true, status, reason: null }
      : { delivered: false, status, reason: outcome.reason };
  };
}

/** The sender of callbacks as the settings say. */
export function callbackSenderOf(settings: Settings): CallbackSender {
  return new CallbackSender({ secrets: settings.CALLBACK_SECRET, allowedHosts: settings.CALLBACK_ALLOWED_HOSTS });
}
