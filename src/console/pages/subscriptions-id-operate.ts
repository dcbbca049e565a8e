import {
  disableSubscription,
  enableSubscription,
  testSubscription,
} from '../../commands/subscriptions/operate-subscription.ts';
import { subscriptionIdParam } from '../../contracts/subscriptions/subscription.ts';
import { needs } from '../access.ts';
import type { ConsoleDependencies } from '../app.ts';
import { seeOther } from '../flash.ts';
import { unconfirmed } from '../layout.ts';
import { fieldsOf } from '../parts/action.ts';
import { valid } from '../queries.ts';
import type { Console } from '../view.ts';

const PAGE = 'subscriptions';

/** Adds the operations on a subscription. */
export function operateSubscription(console: Console, deps: ConsoleDependencies): void {
  console.post('/subscriptions/:id/disable', needs('operate'), async (c) => {
    const { id } = valid(subscriptionIdParam, c.req.param());
    const { sure, ...fields } = await fieldsOf(c);
    if (!sure) return unconfirmed(c, { question: 'Send nothing more to this receiver?', fields, label: 'Disable it' });
    const { name } = await disableSubscription(deps, id, c.var.caller);
    c.var.log.info({ subscription: id }, 'subscription disabled');
    return seeOther(c, PAGE, { tone: 'good', text: `${name} is disabled.` });
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
