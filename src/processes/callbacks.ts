import type { SendToReceiver } from '../commands/subscriptions/subscription-dependencies.ts';
import type { Settings } from '../contracts/settings.ts';
import type { Tracing } from '../contracts/tracing/tracing.ts';
import { callbackOutcome } from '../domain/endings/callback-answer.ts';
import { CallbackSender } from '../integrations/callback-sender.ts';

/** Returns a function that says why callbacks cannot go to a host, by the settings. */
export function refusalOfHost(settings: Settings): (host: string) => Promise<string | undefined> {
  const sender = callbackSenderOf(settings);
  return (host) => sender.refusalOf(host);
}

/** Returns a function that sends to receivers of subscriptions. */
export function sendToReceiverOf(sender: CallbackSender): SendToReceiver {
  return async ({ url, ...own }, { contentType, ...message }) => {
    const outcome = callbackOutcome(await sender.send(url, message, { ...own, contentType }), Date.now());
    const { status } = outcome;
    return outcome.kind === 'delivered'
      ? { delivered: true, status, reason: null }
      : { delivered: false, status, reason: outcome.reason };
  };
}

/** Returns the sender of callbacks, by the settings. */
export function callbackSenderOf(settings: Settings, tracing?: Tracing): CallbackSender {
  const { CALLBACK_SECRET: secrets, CALLBACK_ALLOWED_HOSTS: allowedHosts } = settings;
  return new CallbackSender({ secrets, allowedHosts, ...(tracing ? { tracing } : {}) });
}
