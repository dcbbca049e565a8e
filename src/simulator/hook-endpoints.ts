import { type Answer, ok } from './answer.ts';
import type { Gate, GitHubRequest } from './gate.ts';
import { deliveryAnswer, HOOK_ID, hookAnswer } from './hooks.ts';
import type { Ledger } from './ledger.ts';
import { boundsOf } from './listing.ts';
import { type App, routesOf } from './routes.ts';
import type { Settings } from './settings.ts';
import type { Announcer } from './webhooks.ts';

/** Adds the endpoints of the webhook: its deliveries, and redelivery of one. */
export function addHookEndpoints(
  app: App,
  gate: Gate,
  ledger: Ledger,
  settings: () => Settings,
  announcer: Announcer,
): void {
  const { notFound, onRepository } = routesOf(app, gate, ledger);
  const deliveries = '/hooks/:hook{[0-9]+}/deliveries';
  onRepository('GET', '/hooks', 'hooks', permitted(list));
  onRepository('GET', deliveries, 'hooks', permitted(listDeliveries));
  onRepository('POST', `${deliveries}/:delivery{[0-9]+}/attempts`, 'redeliver', permitted(redeliver));

  /** Checks that hooks may be seen. To others, GitHub says that there are none. */
  function permitted(then: (request: GitHubRequest, repository: string) => Answer) {
    return (request: GitHubRequest, repository: string): Answer => {
      const { hook } = request.params;
      const known = hook === undefined || (settings().webhook !== null && Number(hook) === HOOK_ID);
      return settings().may_list_hooks && known ? then(request, repository) : notFound;
    };
  }

  function list({ url }: GitHubRequest, repository: string): Answer {
    const { webhook } = settings();
    return ok(webhook === null ? [] : [hookAnswer(repository, webhook.url, url.origin)]);
  }

  /** Lists deliveries, newest first. The next page starts after the delivery that its cursor names. */
  function listDeliveries({ url }: GitHubRequest, repository: string): Answer {
    const { perPage } = boundsOf(url.searchParams);
    const cursor = url.searchParams.get('cursor');
    const all = announcer.deliveries().filter((one) => one.repository.toLowerCase() === repository.toLowerCase());
    const rest = cursor === null ? all : all.filter(({ id }) => id < Number(cursor));
    const page = rest.slice(0, perPage);
    const next = new URL(url);
    next.searchParams.set('cursor', String(page.at(-1)?.id));
    return {
      status: 200,
      body: page.map(deliveryAnswer),
      headers: rest.length > perPage ? { link: `<${next.href}>; rel="next"` } : {},
    };
  }

  function redeliver({ params }: GitHubRequest): Answer {
    return announcer.redeliver(Number(params.delivery)) ? { status: 202, body: {} } : notFound;
  }
}
