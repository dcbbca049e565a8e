import { randomUUID } from 'node:crypto';
import { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import { HTTPException } from 'hono/http-exception';
import { matchedRoutes } from 'hono/route';
import type { Logger } from 'pino';
import { type ZodError, z } from 'zod';
import type { ShadowDependencies } from '../commands/builds/compare-shadow.ts';
import type { TriggerDependencies } from '../commands/builds/trigger-build.ts';
import type { Gate } from '../commands/keys/gate.ts';
import { invalidRequest, Refusal } from '../commands/refusal.ts';
import type { SubscriptionDependencies } from '../commands/subscriptions/subscription-dependencies.ts';
import type { TaskDependencies } from '../commands/tasks/create-task.ts';
import { isConsolePath } from '../console/app.ts';
import type { Tracing } from '../contracts/tracing/tracing.ts';
import type { QuotaPolicy } from '../domain/content/youtube-quota.ts';
import type { TemporalUi } from '../domain/links.ts';
import type { ContentStore } from '../store/content/content-store.ts';
import type { EmbedQuery } from '../store/content/search-answer.ts';
import { type Db, databaseFault } from '../store/database.ts';
import type { EventFeed } from '../store/record/event-feed.ts';
import { limitBody, refuseNul, requireJson } from './body.ts';
import { CONSOLE_PATH } from './console.ts';
import { describeRoutes } from './description.ts';
import { pathOf } from './dot-ids.ts';
import type { ApiEnvironment } from './environment.ts';
import { EventTail } from './events/event-tail.ts';
import { OpenStreams } from './events/open-streams.ts';
import { isFlowerPath } from './flower/app.ts';
import { identify, isOpenPath } from './guard.ts';
import type { HealthMonitor } from './health-monitor.ts';
import type { ApiMeter } from './meter.ts';
import { PROBLEM_JSON, problemOf } from './problem.ts';
import { refuseUnknownParameters } from './query.ts';
import { type Needs, needsOf, requireRights } from './rights.ts';
import { getContents } from './routes/api-v1-content.ts';
import { getContent } from './routes/api-v1-content-id.ts';
import { getYouTubeQuota } from './routes/api-v1-quota-youtube.ts';
import { postSearch } from './routes/api-v1-search.ts';
import { audit } from './routes/audit.ts';
import { getBuilds } from './routes/builds.ts';
import { getBuild } from './routes/builds-id.ts';
import { getCandidateRuns } from './routes/builds-id-candidates.ts';
import { getBuildEvents } from './routes/builds-id-events.ts';
import { operateBuild } from './routes/builds-id-operate.ts';
import { getBuildProvenance } from './routes/builds-id-provenance.ts';
import { getBuildVerify } from './routes/builds-id-verify.ts';
import { operateManyBuilds } from './routes/builds-operate.ts';
import { postBuildsTrigger, TRIGGER_PATH } from './routes/builds-trigger.ts';
import { getConfigurations, postConfigurations } from './routes/configs.ts';
import { putConfigurationByName } from './routes/configs-by-name.ts';
import { deleteConfiguration, getConfiguration, putConfiguration } from './routes/configs-id.ts';
import { getShadowReport } from './routes/configs-id-shadow.ts';
import { getConfigurationVersions } from './routes/configs-id-versions.ts';
import { deadLetters } from './routes/dlq.ts';
import { getDocs } from './routes/docs.ts';
import { eraseData } from './routes/erasures.ts';
import { getEvents } from './routes/events.ts';
import { getHealth } from './routes/health.ts';
import { getIndex } from './routes/index.ts';
import { keys } from './routes/keys.ts';
import { getMetrics } from './routes/metrics.ts';
import { getQueues } from './routes/queues.ts';
import { getQueueHistory } from './routes/queues-history.ts';
import { pauseQueues } from './routes/queues-name-pause.ts';
import { getQuota } from './routes/quota.ts';
import { getSchedules } from './routes/schedules.ts';
import { scheduleByName } from './routes/schedules-name.ts';
import { operateSchedule } from './routes/schedules-name-operate.ts';
import { subscriptions } from './routes/subscriptions.ts';
import { subscriptionById } from './routes/subscriptions-id.ts';
import { operateSubscription } from './routes/subscriptions-id-operate.ts';
import { taskTypeRoutes } from './routes/task-types.ts';
import { tasks } from './routes/tasks.ts';
import { taskById } from './routes/tasks-id.ts';
import { getTaskEvents } from './routes/tasks-id-events.ts';
import { operateManyTasks } from './routes/tasks-operate.ts';
import { allowTemporalUi, type DecodePayloads, decodePayloads } from './routes/temporal-decode.ts';
import { receiveForgeWebhook } from './routes/webhooks-forges.ts';
import { receiveGitHubWebhook, type WebhookDependencies } from './routes/webhooks-github.ts';
import { getWorkers } from './routes/workers.ts';
import { ingestYoutube } from './routes/youtube-ingest-async.ts';
import { traceRequests } from './trace-requests.ts';

export interface ApiDependencies
  extends TriggerDependencies,
    TaskDependencies,
    WebhookDependencies,
    ShadowDependencies,
    SubscriptionDependencies {
  db: Db;
  monitor: HealthMonitor;
  meter: ApiMeter;
  log: Logger;
  youtubeQuota: QuotaPolicy;
  temporalUi: TemporalUi;
  /** Decrypts what Temporal keeps. */
  decodePayloads: DecodePayloads;
  content: ContentStore;
  /** Turns a query into a vector; undefined if no model is configured. */
  embedQuery: EmbedQuery;
  /** All events of the log, for everybody who listens. */
  feed: EventFeed;
  /** Identifies who sends a request. */
  gate: Gate;
  trustedHosts: readonly string[];
  /** Reports each request as a span. Left out: nothing is traced. */
  tracing?: Tracing;
  /** The Flower API, if it is served on the same port. */
  flower?: { fetch(request: Request, env?: unknown): Response | Promise<Response>; prefix: string };
  /** The console, if it is served on the same port. */
  console?: { fetch(request: Request, env?: unknown): Response | Promise<Response> };
}

/** Plain words for the most frequent mistakes of clients. zod's messages talk about its own types. */
z.config({
  customError: ({ code, input, format }) => {
    if (code === 'invalid_type' && input === undefined) return 'is missing';
    if (code === 'invalid_type' && Number.isNaN(input)) return 'must be a number';
    if (code === 'invalid_format' && format === 'datetime') return 'must be a time as 2026-11-21T10:00:00Z';
    return undefined;
  },
});

/** Creates the HTTP API: its routes, and what applies to all of them. */
export function createApi(deps: ApiDependencies): OpenAPIHono<ApiEnvironment> {
  const api = new OpenAPIHono<ApiEnvironment>({
    getPath: pathOf,
    defaultHook: (result) => {
      if (!result.success) throw invalid(result.target, result.error as ZodError);
    },
  });

  if (deps.tracing) api.use(traceRequests(deps.tracing, routeOf));
  api.use(async (c, next) => {
    const requestId = randomUUID();
    c.set('requestId', requestId);
    c.set('log', deps.log.child({ request_id: requestId }));
    c.header('X-Request-Id', requestId);
    c.header('X-Content-Type-Options', 'nosniff');
    const startedAt = performance.now();
    await next();
    const ms = Math.round(performance.now() - startedAt);
    deps.meter.answered({ ...routeOf(c), status: c.res.status }, (performance.now() - startedAt) / 1_000);
    c.var.log.debug({ method: c.req.method, path: c.req.path, status: c.res.status, ms }, 'answered');
  });
  const { flower, console } = deps;
  if (console) {
    // The console identifies callers, reads forms and refuses requests in its own ways.
    api.use(async (c, next) => {
      if (!isConsolePath(c.req.path, CONSOLE_PATH)) return next();
      return console.fetch(c.req.raw, { ...(c.env as object), requestId: c.var.requestId });
    });
  }
  if (flower) {
    // The Flower API identifies callers, reads bodies and refuses requests in its own ways.
    api.use(async (c, next) => (isFlowerPath(c.req.path, flower.prefix) ? flower.fetch(c.req.raw, c.env) : next()));
  }
  allowTemporalUi(api, deps.temporalUi.url);
  api.use(identify(deps.gate, deps.trustedHosts));
  const needed = new Map<string, Needs>();
  api.use(requireRights((c) => needed.get(keyOf(c)) ?? needsOfUndescribed(c), deps.db));
  api.use(refuseNul);
  const parameters = new Map<string, string[]>();
  api.use(refuseUnknownParameters((c) => parametersOf(c, parameters)));
  api.use(limitBody(() => new Refusal('body_too_large')));
  const withBody = new Set<string>();
  api.use(requireJson((c) => withBody.has(keyOf(c))));

  postBuildsTrigger(api, deps);
  getBuilds(api, deps.db);
  const parts = { tail: new EventTail(deps.db), streams: new OpenStreams(undefined, deps.gate) };
  getBuild(api, { ...deps, ...parts });
  getBuildEvents(api, deps.db, parts);
  getBuildVerify(api, deps.db);
  getBuildProvenance(api, deps.db);
  audit(api, deps.db);
  getCandidateRuns(api, deps);
  operateBuild(api, deps);
  operateManyBuilds(api, deps);
  tasks(api, deps);
  taskById(api, { ...deps, ...parts });
  operateManyTasks(api, deps);
  getTaskEvents(api, deps.db, parts);
  getEvents(api, { ...parts, feed: deps.feed });
  taskTypeRoutes(api, deps);
  ingestYoutube(api, deps);
  deadLetters(api, deps);
  receiveGitHubWebhook(api, deps);
  receiveForgeWebhook(api, deps);
  const { db, callbackHosts, forges } = deps;
  const changes = { db, callbackHosts, forges, correlationInput: deps.policy.correlation_input };
  getConfigurations(api, deps.db, deps.configurations);
  postConfigurations(api, changes);
  putConfigurationByName(api, changes);
  getConfiguration(api, deps.configurations);
  putConfiguration(api, changes);
  deleteConfiguration(api, changes);
  getConfigurationVersions(api, deps.db, deps.configurations);
  getShadowReport(api, deps);
  keys(api, deps);
  eraseData(api, deps);
  getSchedules(api, deps.db);
  scheduleByName(api, deps);
  operateSchedule(api, deps);
  subscriptions(api, deps);
  subscriptionById(api, deps);
  operateSubscription(api, deps);
  getYouTubeQuota(api, deps);
  postSearch(api, deps);
  getContents(api, deps.content);
  getContent(api, deps.content);
  getQuota(api, deps);
  getQueues(api, deps);
  getQueueHistory(api, deps.db);
  pauseQueues(api, deps);
  getWorkers(api, deps);
  decodePayloads(api, deps.decodePayloads);
  getHealth(api, deps);
  getMetrics(api, deps.meter);
  getDocs(api);
  getIndex(api);
  for (const definition of api.openAPIRegistry.definitions) {
    if (definition.type !== 'route') continue;
    const { method, path, request } = definition.route;
    const route = `${method.toUpperCase()} ${path}`;
    if (request?.body?.required) withBody.add(route);
    const needs = needsOf(definition.route);
    if (needs) needed.set(route, needs);
    parameters.set(route, Object.keys((request?.query as z.ZodObject | undefined)?.shape ?? {}));
  }
  describeRoutes(api);

  api.notFound((c) => {
    const { method, path } = c.req;
    const served = METHODS.filter((one) => api.router.match(one, path)[0].some(([[, route]]) => route.path !== '/*'));
    if (served.length === 0 || served.includes(method)) {
      throw new Refusal('not_found', { detail: `${method} ${path} does not exist; see /docs` });
    }
    const allow = served.join(', ');
    c.header('Allow', allow);
    throw new Refusal('method_not_allowed', {
      detail: `${path} supports ${allow}, not ${method}; see /docs`,
    });
  });
  api.onError((thrown, c) => {
    const error = asRefusal(thrown);
    const document = problemOf(error, c.var.requestId);
    const entry = { err: error.cause ?? thrown, code: error.code, method: c.req.method, path: c.req.path };
    if (document.status >= 500 || error.cause) c.var.log.error(entry, error.message);
    if (c.req.method === 'POST' && c.req.path === TRIGGER_PATH) deps.meter.triggerRefused(error.code);
    // The rest of the body is not read, so the connection cannot carry another request.
    if (error.code === 'body_too_large') c.header('Connection', 'close');
    if (error.retryAfterSeconds) c.header('Retry-After', String(error.retryAfterSeconds));
    return c.body(JSON.stringify(document), document.status as 500, { 'Content-Type': PROBLEM_JSON });
  });
  return api;
}

/** Methods of routes. A route with GET also serves HEAD. */
const METHODS = ['GET', 'POST', 'PUT', 'DELETE'];

/** Returns the pattern that a request matched, as OpenAPI writes it. There are only so many patterns, whatever clients request. */
function routeOf(c: Context): { route: string; method: string } {
  // The first match that is not middleware handles the request: /dlq/causes before /dlq/{id}.
  const matched = matchedRoutes(c).find(({ path }) => !path.endsWith('/*'));
  if (!matched) return { route: 'unmatched', method: 'any' };
  return { route: matched.path.replaceAll(/:(\w+)(\{[^}]*\})?/g, '{$1}'), method: c.req.method };
}

/** Returns what a route outside the description needs: the right `admin`, except for the pages about the API. */
function needsOfUndescribed(c: Context): Needs | undefined {
  const isOpen = isOpenPath(c.req.path) || routeOf(c).route === 'unmatched';
  return isOpen ? undefined : { right: 'admin', reachedBy: undefined };
}

/** Returns the method and pattern that a request matched, such as `GET /builds/{id}`. */
function keyOf(c: Context): string {
  const { route, method } = routeOf(c);
  return `${method === 'HEAD' ? 'GET' : method} ${route}`;
}

/** Returns the query parameters of the route that a request matched; undefined if it matched none. */
function parametersOf(c: Context, parameters: ReadonlyMap<string, string[]>): readonly string[] | undefined {
  if (routeOf(c).route === 'unmatched') return undefined;
  // A route outside the description (a page of /docs) has none.
  return parameters.get(keyOf(c)) ?? [];
}

function invalid(target: string, { issues }: ZodError): Refusal {
  const errors = issues.map(({ path, message }) => ({
    path: [target === 'json' ? 'body' : target, ...path].join('.'),
    message,
  }));
  return invalidRequest(errors);
}

const NOT_STORABLE = 'it carries a value that the database cannot hold';

function asRefusal(thrown: unknown): Refusal {
  if (thrown instanceof Refusal) return thrown;
  const fault = databaseFault(thrown)?.kind;
  if (fault === 'away') {
    return new Refusal('database_unavailable', { detail: 'try again', retryAfterSeconds: 5, cause: thrown });
  }
  // The schemas refuse such values and say where they are. This handles those that the schemas miss.
  if (fault === 'values') return new Refusal('invalid_request', { detail: NOT_STORABLE, cause: thrown });
  if (thrown instanceof HTTPException && thrown.status === 415) return new Refusal('unsupported_media_type');
  if (thrown instanceof HTTPException && thrown.status < 500)
    return new Refusal('malformed_json', { detail: thrown.message });
  return new Refusal('internal', { cause: thrown });
}
