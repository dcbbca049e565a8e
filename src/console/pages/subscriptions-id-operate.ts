import { notFound } from '../../commands/refusal.ts';
import {
  disableSubscription,
  enableSubscription,
  testSubscription,
} from '../../commands/subscriptions/operate-subscription.ts';
import { subscriptionIdParam } from '../../contracts/subscriptions/subscription.ts';
import { findSubscription } from '../../store/subscriptions/subscription-find.ts';
import { needs } from '../access.ts';
import type { ConsoleDependencies } from '../app.ts';
import { seeOther } from '../flash.ts';
import { confirmed } from '../layout.ts';
import { valid } from '../queries.ts';
import type { Console } from '../view.ts';
import { disableQuestion } from './subscriptions.ts';

const PAGE = 'subscriptions';

/** Adds the operations on a subscription. */
export function operateSubscription(console: Console, deps: ConsoleDependencies): void {
  console.post('/subscriptions/:id/disable', needs('operate'), async (c) => {
    const { id } = valid(subscriptionIdParam, c.req.param());
    const { name } = (await findSubscription(deps.db, id)) ?? {};
    if (name === undefined) throw notFound(`subscription ${id}`);
    return confirmed(c, { question: disableQuestion(name), label: 'Disable it' }, async () => {
      await disableSubscription(deps, id, c.var.caller);
      c.var.log.info({ subscription: id }, 'subscription disabled');
      return seeOther(c, PAGE, { tone: 'good', text: `${name} is disabled.` });
    });
  });
  console.post('/subscriptions/:id/enable', needs('operate'), async (c) => {
    const { id } = valid(subscriptionIdParam, c.req.param());
    const { name } = await enableSubscription(deps, id, c.var.caller);
    c.var.log.info({ subscription: id }, 'subscription enabled');
    return seeOther(c, PAGE, { tone: 'good', text: `${name} is told again, from where it stopped.` });
  });
  console.post('/subscriptions/:id/test', needs('operate'), async (c) => {
    const { id } = valid(subscriptionIdParam, c.req.param());
    const { delivered, status, reason } = await testSubscription(deps, id);
    const text = delivered ? `The receiver answered with ${status}.` : `The test did not arrive: ${reason}.`;
    return seeOther(c, PAGE, { tone: delivered ? 'good' : 'bad', text });
  });
}
