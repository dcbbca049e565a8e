import { callbackOutcome } from '../domain/endings/callback-answer.ts';
import type { CallbackSender } from '../integrations/callback-sender.ts';
import type { Db } from '../store/database.ts';
import { findCallbackUrl } from '../store/endings/callback-target-find.ts';
import { listCallbackTargets } from '../store/endings/callback-target-list.ts';
import { saveCallbackTarget } from '../store/endings/callback-target-save.ts';
import type { CallbackPort, CallbackRecordPort } from '../workflows/ports/callback.ts';
import { subjectOf } from './callback-subjects.ts';
import type { ActivityMeter } from './meter.ts';

export function callbackActivities(db: Db, sender: CallbackSender): CallbackPort {
  return {
    composeCallback: ({ subject, ending, target }) => subjectOf(subject).compose(db, ending, target),

    async sendCallback({ subject, target, ...message }) {
      const url = await findCallbackUrl(db, subject, target);
      if (url === undefined) return { kind: 'final', status: null, reason: 'its URL was deleted' };
      return { ...callbackOutcome(await sender.send(url, message), Date.now()), origin: new URL(url).origin };
    },
  };
}

export function callbackRecordActivities(db: Db, meter?: ActivityMeter): CallbackRecordPort {
  return {
    listCallbackTargets: ({ subject }) => listCallbackTargets(db, subject),
    keepCallbackUrl: ({ subject, url }) => saveCallbackTarget(db, subject, url),

    async appendCallbackEvent({ subject, event }) {
      const { repeated } = await subjectOf(subject).append(db, event);
      if (repeated) return;
      const gaveUp = event.type === 'callback_failed' && event.data.next_at === null;
      meter?.callbackTried(event.type === 'callback_delivered' ? 'delivered' : gaveUp ? 'given_up' : 'failed');
    },
  };
}
