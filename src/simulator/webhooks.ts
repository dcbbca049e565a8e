import { createHmac, randomUUID } from 'node:crypto';
import { forgejoRunEvent } from './dialects/forgejo-resources.ts';
import { giteaRunEvent } from './dialects/gitea-resources.ts';
import type { DialectKind } from './dialects/kind.ts';
import type { FaultQueue } from './faults.ts';
import { HOOK_ID, type HookDelivery } from './hooks.ts';
import { workflowRunEvent } from './resources.ts';
import { type Moment, type Run, timeline } from './run.ts';
import type { Settings } from './settings.ts';

/** Sends webhooks about runs as they change. */
export interface Announcer {
  /** Looks at a run again after something happened to it. */
  watch(run: Run): void;
  counts(): { sent: number; accepted: number; lost: number };
  /** Returns the last deliveries, newest first. */
  deliveries(): HookDelivery[];
  /** Sends a delivery again under its GUID; returns false if it is not known (any more). */
  redeliver(id: number): boolean;
  close(): void;
}

const ACTIONS: Record<string, string> = { queued: 'requested', in_progress: 'in_progress', completed: 'completed' };

/** GitHub gives a receiver ten seconds. */
const DELIVERY_TIMEOUT_MS = 10_000;

/** How long a delivery waits for the next one to be swapped with. */
const REORDER_PATIENCE_MS = 3_000;

/** How many deliveries are listed; GitHub lists those of three days. */
const REMEMBERED_DELIVERIES = 1_000;

/** The longest time setTimeout can wait. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/**
 * Starts to send webhooks. It does not report what happened while a simulator was down: GitHub does not send webhooks twice either.
 *
 * @param origin the simulator's own URL, for the links in the payloads
 */
export function startAnnouncer(
  settings: () => Settings,
  faults: FaultQueue,
  origin: () => string,
  dialect: DialectKind = 'github',
): Announcer {
  const startedAt = Date.now();
  const told = new Set<string>();
  const watchTimers = new Map<number, NodeJS.Timeout>();
  const otherTimers = new Set<NodeJS.Timeout>();
  const delivered: HookDelivery[] = [];
  let lastDeliveryId = 10_000_000_000;
  const counts = { sent: 0, accepted: 0, lost: 0 };
  const aborted = new AbortController();
  let held: (() => Promise<void>) | undefined;

  function later(ms: number, work: () => void): void {
    const timer = setTimeout(() => {
      otherTimers.delete(timer);
      work();
    }, ms);
    otherTimers.add(timer);
  }

  function record(delivery: Omit<HookDelivery, 'id' | 'at'>): void {
    lastDeliveryId += 1;
    delivered.unshift({ id: lastDeliveryId, at: Date.now(), ...delivery });
    delivered.length = Math.min(delivered.length, REMEMBERED_DELIVERIES);
  }

  /** Returns the status of the receiver's response; 0 if there was none. */
  async function send(url: string, headers: Record<string, string>, body: string): Promise<number> {
    counts.sent += 1;
    try {
      const signal = AbortSignal.any([aborted.signal, AbortSignal.timeout(DELIVERY_TIMEOUT_MS)]);
      const response = await fetch(url, { method: 'POST', headers, body, redirect: 'manual', signal });
      await response.body?.cancel();
      if (response.ok) counts.accepted += 1;
      return response.status;
    } catch {
      // Nobody is there, or the response took too long. GitHub sends it again only on request.
      return 0;
    }
  }

  async function flush(): Promise<void> {
    const waiting = held;
    held = undefined;
    await waiting?.();
  }

  async function dispatchDelivery(deliver: () => Promise<void>, reorder: boolean): Promise<void> {
    if (reorder && held === undefined) {
      held = deliver;
      later(REORDER_PATIENCE_MS, () => void flush());
      return;
    }
    await deliver();
    await flush();
  }

  function announce(run: Run, moment: Moment, action: string): void {
    const { webhook, webhook_faults: always } = settings();
    if (webhook === null) return;
    const told = eventOf(dialect, run, moment, action, origin());
    if (told === undefined) return;
    const body = JSON.stringify(told.body);
    const fault = faults.take('webhook', body);
    const delivery = { guid: randomUUID(), redelivery: false, action, repository: run.repository, body };
    if (always.lose || fault?.kind === 'lose') {
      counts.lost += 1;
      record({ ...delivery, statusCode: 0 });
      return;
    }
    const headers = headersOf(dialect, told.event, delivery.guid, body, webhook.secret);
    const deliver = async () => {
      record({ ...delivery, statusCode: await send(webhook.url, headers, body) });
      if (always.double || fault?.kind === 'double') await send(webhook.url, headers, body);
    };
    const go = () => void dispatchDelivery(deliver, always.reorder || fault?.kind === 'reorder');
    const delayMs = Math.max(always.delay_ms, fault?.kind === 'delay' ? fault.ms : 0);
    if (delayMs > 0) later(delayMs, go);
    else go();
  }

  function watch(run: Run): void {
    clearTimeout(watchTimers.get(run.id));
    watchTimers.delete(run.id);
    if (run.deletedAt !== null) return;
    const now = Date.now();
    for (const moment of timeline(run)) {
      if (moment.at > now) {
        watchTimers.set(
          run.id,
          setTimeout(() => watch(run), Math.min(moment.at - now, LONGEST_TIMER_MS)),
        );
        return;
      }
      const key = `${run.id}:${moment.attempt}:${moment.at}:${moment.status}`;
      if (told.has(key)) continue;
      told.add(key);
      const action = ACTIONS[moment.status];
      const silent = run.attempts[moment.attempt - 1]?.plan.conclusion === 'startup_failure';
      if (action !== undefined && !silent && moment.at >= startedAt) announce(run, moment, action);
    }
  }

  return {
    watch,
    counts: () => ({ ...counts }),
    deliveries: () => delivered,
    redeliver(id) {
      const known = delivered.find((delivery) => delivery.id === id);
      const { webhook } = settings();
      if (!known || webhook === null) return false;
      const { guid, action, repository, body } = known;
      void send(webhook.url, headersOf('github', 'workflow_run', guid, body, webhook.secret), body).then((statusCode) =>
        record({ guid, redelivery: true, action, repository, body, statusCode }),
      );
      return true;
    },
    close() {
      aborted.abort();
      for (const timer of [...watchTimers.values(), ...otherTimers]) clearTimeout(timer);
    },
  };
}

/** Returns the event that a forge sends about a state; undefined: none. */
function eventOf(dialect: DialectKind, run: Run, moment: Moment, action: string, origin: string) {
  switch (dialect) {
    case 'github':
      return { event: 'workflow_run', body: workflowRunEvent(run, moment, action, origin) };
    case 'gitea':
      return { event: 'workflow_run', body: giteaRunEvent(run, moment, action, origin) };
    case 'forgejo': {
      if (action !== 'completed') return undefined;
      const body = forgejoRunEvent(run, moment, origin);
      return { event: `action_run_${body.action}`, body };
    }
    default:
      return dialect satisfies never;
  }
}

/**
 * Returns the headers of a delivery. Gitea and Forgejo send GitHub's headers beside their own (services/webhook/deliver.go in Gitea's
 * sources).
 */
function headersOf(
  dialect: DialectKind,
  event: string,
  guid: string,
  body: string,
  secret: string,
): Record<string, string> {
  const signature = createHmac('sha256', secret).update(body).digest('hex');
  const common = {
    'content-type': 'application/json',
    'x-github-event': event,
    'x-github-delivery': guid,
    'x-hub-signature-256': `sha256=${signature}`,
  };
  if (dialect === 'github') {
    return { ...common, 'user-agent': 'GitHub-Hookshot/simulated', 'x-github-hook-id': String(HOOK_ID) };
  }
  const names = dialect === 'forgejo' ? ['forgejo', 'gitea', 'gogs'] : ['gitea', 'gogs'];
  const own = names.flatMap((name) => [
    [`x-${name}-event`, event],
    [`x-${name}-event-type`, event],
    [`x-${name}-delivery`, guid],
    [`x-${name}-signature`, signature],
  ]);
  return { ...common, ...Object.fromEntries(own), 'user-agent': 'Go-http-client/1.1' };
}
