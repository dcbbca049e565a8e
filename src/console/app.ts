import { randomUUID } from 'node:crypto';
import { Hono } from 'hono';
import { bodyLimit } from 'hono/body-limit';
import { compress } from 'hono/compress';
import type { ShadowDependencies } from '../commands/builds/compare-shadow.ts';
import type { Trigger, TriggerDependencies } from '../commands/builds/trigger-build.ts';
import { Refusal } from '../commands/refusal.ts';
import type { SubscriptionDependencies } from '../commands/subscriptions/subscription-dependencies.ts';
import type { TaskDependencies } from '../commands/tasks/create-task.ts';
import { LIMITS } from '../contracts/budgets.ts';
import type { Health } from '../contracts/health.ts';
import type { Right } from '../contracts/keys/key-event.ts';
import type { ProblemCode } from '../contracts/problem.ts';
import type { QuotaPolicy } from '../domain/content/youtube-quota.ts';
import type { TemporalUi } from '../domain/links.ts';
import type { ContentStore } from '../store/content/content-store.ts';
import type { EmbedQuery } from '../store/content/search-answer.ts';
import { Access, type AccessSettings } from './access.ts';
import { Assets } from './assets.ts';
import { ChangeWatch } from './change-watch.ts';
import { refuseOtherSites } from './cross-site.ts';
import { builds } from './pages/builds.ts';
import { build } from './pages/builds-id.ts';
import { operateBuild } from './pages/builds-id-operate.ts';
import { changesStream } from './pages/changes.ts';
import { configurations } from './pages/configurations.ts';
import { configuration } from './pages/configurations-id.ts';
import { editConfiguration } from './pages/configurations-id-edit.ts';
import { shadow } from './pages/configurations-id-shadow.ts';
import { content } from './pages/content.ts';
import { contentDetail } from './pages/content-id.ts';
import { deadLetters } from './pages/dead-letters.ts';
import { deadLetter } from './pages/dead-letters-id.ts';
import { keys } from './pages/keys.ts';
import { revoke } from './pages/keys-id-revoke.ts';
import { manyBuilds } from './pages/many-builds.ts';
import { manyDeadLetters } from './pages/many-dead-letters.ts';
import { manyTasks } from './pages/many-tasks.ts';
import { overview } from './pages/overview.ts';
import { queues } from './pages/queues.ts';
import { pauseQueue } from './pages/queues-name-pause.ts';
import { quota } from './pages/quota.ts';
import { record } from './pages/record.ts';
import { schedules } from './pages/schedules.ts';
import { operateSchedule } from './pages/schedules-name-operate.ts';
import { search } from './pages/search.ts';
import { signIn, signInPage } from './pages/sign-in.ts';
import { signInWithProvider } from './pages/sign-in-callback.ts';
import { subscriptions } from './pages/subscriptions.ts';
import { operateSubscription } from './pages/subscriptions-id-operate.ts';
import { taskTypes } from './pages/task-types.ts';
import { retireType } from './pages/task-types-name-retire.ts';
import { tasks } from './pages/tasks.ts';
import { task } from './pages/tasks-id.ts';
import { runTaskAgain } from './pages/tasks-id-again.ts';
import { operateTask } from './pages/tasks-id-operate.ts';
import { themes } from './pages/theme.ts';
import { trigger } from './pages/trigger.ts';
import { worker } from './pages/workers-id.ts';
import { operateWorker } from './pages/workers-id-operate.ts';
import { themeOf, timeZoneOf } from './preferences.ts';
import { asRefusal, problemPage } from './problems.ts';
import type { Console, ConsoleContext, ConsoleEnvironment, View } from './view.ts';

export interface ConsoleDependencies
  extends TriggerDependencies,
    TaskDependencies,
    SubscriptionDependencies,
    ShadowDependencies {
  meter: TaskDependencies['meter'] & {
    buildAccepted(build: Trigger & { replayed: boolean }): void;
    triggerRefused(code: ProblemCode): void;
  };
  temporalUi: TemporalUi;
  youtubeQuota: QuotaPolicy;
  content: ContentStore;
  /** Turns a query into a vector; undefined if no model is configured. */
  embedQuery: EmbedQuery;
  /** Returns what the last checks of the dependencies found. */
  health(): Health;
}

/** The address of a console, and whether it is read-only. */
export interface ConsolePlace {
  /** Path of the console, without a slash at its end: `/console`. */
  base: string;
  /** Whether the API has the same address. */
  besideApi: boolean;
  readOnly: boolean;
}

/** Allow nothing from elsewhere, and no script or style within a page. No page of another site may frame this one. */
const HEADERS = {
  'Content-Security-Policy':
    "default-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'",
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'same-origin',
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Resource-Policy': 'same-origin',
} as const;

/** Pages that everybody may request: they sign people in, or contain nothing. */
const OPEN = new Set(['/sign-in', '/sign-in/start', '/sign-in/callback', '/sign-out', '/theme']);
/** Requests that change only the browser's own cookies. */
const HARMLESS = OPEN;

/** Says whether a path belongs to the console. */
export function isConsolePath(path: string, base: string): boolean {
  return path === base || path.startsWith(`${base}/`);
}

/** Creates the console: pages for people, with the same queries and commands as the API. */
export function createConsole(deps: ConsoleDependencies, access: AccessSettings, place: ConsolePlace) {
  const { base, readOnly } = place;
  const door = new Access(access, deps.db);
  const assets = new Assets();
  const console: Console = new Hono<ConsoleEnvironment>().basePath(base);
  const below = (c: ConsoleContext) => c.req.path.slice(base.length);

  console.use(async (c, next) => {
    const { requestId = randomUUID() } = c.env;
    c.set('requestId', requestId);
    c.set('log', deps.log.child({ request_id: requestId }));
    for (const [name, value] of Object.entries(HEADERS)) c.header(name, value);
    c.header('X-Request-Id', requestId);
    await next();
    // Pages show what only people who have signed in may see.
    if (!c.res.headers.has('Cache-Control')) c.res.headers.set('Cache-Control', 'no-store');
  });
  console.get('/assets/:digest/:name', (c) => assets.answer(c, c.req.param('digest'), c.req.param('name')));
  console.use(compress());
  console.use(async (c, next) => {
    c.set('view', viewOf(c, place, assets));
    const visitor = await door.visitorOf(c);
    const principal = visitor?.principal;
    if (principal) c.set('principal', principal);
    c.set('caller', principal?.caller ?? '');
    const has = (right: Right) => principal?.has(right) === true;
    const may = (right: Right) => !readOnly && has(right);
    const signedIn = door.needsKey && principal !== undefined;
    c.set('view', { ...c.var.view, caller: visitor?.name ?? '', has, may, signedIn });
    if (!OPEN.has(below(c))) {
      if (!principal) return signInPage(c, door, c.req.method === 'GET' ? c.var.view.here : '');
      principal.require('read');
    }
    await next();
  });
  console.use(refuseOtherSites());
  console.use(async (c, next) => {
    const changes = c.req.method !== 'GET' && c.req.method !== 'HEAD';
    if (changes && readOnly && !HARMLESS.has(below(c))) throw new Refusal('read_only');
    await next();
  });
  console.use(
    bodyLimit({
      maxSize: LIMITS.requests.bodyBytes,
      onError() {
        throw new Refusal('body_too_large');
      },
    }),
  );

  const changes = new ChangeWatch(deps.db);
  changesStream(console, changes, door);
  signIn(console, door);
  signInWithProvider(console, door);
  themes(console);
  overview(console, deps);
  builds(console, deps);
  manyBuilds(console, deps);
  build(console, deps);
  operateBuild(console, deps);
  trigger(console, deps);
  schedules(console, deps);
  operateSchedule(console, deps);
  tasks(console, deps);
  task(console, deps);
  operateTask(console, deps);
  runTaskAgain(console, deps);
  manyTasks(console, deps);
  deadLetters(console, deps);
  deadLetter(console, deps);
  manyDeadLetters(console, deps);
  queues(console, deps);
  pauseQueue(console, deps);
  configurations(console, deps);
  configuration(console, deps);
  editConfiguration(console, deps);
  shadow(console, deps);
  content(console, deps);
  contentDetail(console, deps);
  search(console, deps);
  quota(console, deps);
  taskTypes(console, deps);
  retireType(console, deps);
  worker(console, deps);
  operateWorker(console, deps);
  subscriptions(console, deps);
  operateSubscription(console, deps);
  record(console, deps);
  const keyDeps = { ...deps, gate: access.gate };
  keys(console, keyDeps);
  revoke(console, keyDeps);

  console.notFound((c) => problemPage(c, new Refusal('not_found', { detail: `There is no page ${c.req.path}.` })));
  console.onError((thrown, c) => {
    const refusal = asRefusal(thrown);
    if (refusal.code === 'internal' || refusal.cause) {
      c.var.log.error({ err: refusal.cause ?? thrown, code: refusal.code, path: c.req.path }, refusal.message);
    }
    if (!c.var.view) c.set('view', viewOf(c, place, assets));
    return problemPage(c, refusal);
  });
  return console;
}

/** Returns the view before anybody is identified. */
function viewOf(c: ConsoleContext, { base, besideApi }: ConsolePlace, assets: Assets): View {
  const { pathname, search, protocol } = new URL(c.req.url);
  const scheme = c.req.header('x-forwarded-proto') === 'https' ? 'https:' : protocol;
  const here = pathname.slice(base.length + 1) + search;
  // A link to the overview must not be empty: an empty link means the current page.
  return {
    ...{ base, assets, caller: '', has: () => false, may: () => false, signedIn: false },
    origin: besideApi ? `${scheme}//${c.req.header('host')}` : undefined,
    here: here === '' ? base : here,
    theme: themeOf(c),
    timeZone: timeZoneOf(c),
    now: Date.now(),
  };
}
