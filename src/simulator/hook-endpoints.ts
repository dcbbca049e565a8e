import type { HttpBindings } from '@hono/node-server';
import type { Hono } from 'hono';
import { type Answer, refusal } from './answer.ts';
import type { Gate, GitHubRequest } from './gate.ts';
import { deliveryAnswer, HOOK_ID, hookAnswer } from './hooks.ts';
import type { Settings } from './settings.ts';
import type { Announcer } from './webhooks.ts';

/** Adds the endpoints of the webhook: its deliveries, and redelivery of one. */
export function addHookEndpoints(
  app: Hono<{ Bindings: HttpBindings }>,
  gate: Gate,
  announcer: Announcer,
  settings: () => Settings,
): void {
  const hooks = '/repos/:owner/:repo/hooks';
  const deliveries = `${hooks}/:hook{[0-9]+}/deliveries`;
  app.get(hooks, gate.guard('hooks', permitted(list)));
  app.get(deliveries, gate.guard('hooks', permitted(listDeliveries)));
  app.post(`${deliveries}/:delivery{[0-9]+}/attempts`, gate.guard('redeliver', permitted(redeliver)));

  /** Checks that hooks may be seen. To others, GitHub says that there are none. */
  function permitted(then: (request: GitHubRequest, repository: string) => Answer) {
    return (request: GitHubRequest): Answer => {
      const { owner, repo, hook } = request.params;
      const known = hook === undefined || (settings().webhook !== null && Number(hook) === HOOK_ID);
      if (!settings().may_list_hooks || repo === 'missing' || !known) return refusal(404, 'Not Found');
      return then(request, `${owner}/${repo}`);
    };
  }

  function list({ url }: GitHubRequest, repository: string): Answer {
    const { webhook } = settings();
    return { status: 200, body: webhook === null ? [] : [hookAnswer(repository, webhook.url, url.origin)] };
  }

  /** Lists deliveries, newest first. The next page starts after the delivery that its cursor names. */
  function listDeliveries({ url }: GitHubRequest, repository: string): Answer {
    const perPage = Math.min(100, Number(url.searchParams.get('per_page') ?? 30));
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
    return announcer.redeliver(Number(params.delivery)) ? { status: 202, body: {} } : refusal(404, 'Not Found');
  }
}
