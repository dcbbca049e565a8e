import type { RouteConfig } from '@hono/zod-openapi';
import { BUILD_EXAMPLES } from './builds.ts';
import { CONFIGURATION_EXAMPLES } from './configurations.ts';
import { ERASURE_EXAMPLES } from './erasures.ts';
import { KEY_EXAMPLES } from './keys.ts';
import { OPERATION_EXAMPLES } from './operations.ts';
import { SCHEDULE_EXAMPLES } from './schedules.ts';
import { SUBSCRIPTION_EXAMPLES } from './subscriptions.ts';
import { TASK_EXAMPLES } from './tasks.ts';

/** Example bodies of an operation in the description: of the request, and of responses by status. */
export interface OperationExamples {
  request?: unknown;
  responses: Record<number, unknown>;
}

/** The examples by operation id. */
export const EXAMPLES: Readonly<Record<string, OperationExamples>> = {
  ...BUILD_EXAMPLES,
  ...CONFIGURATION_EXAMPLES,
  ...TASK_EXAMPLES,
  ...SCHEDULE_EXAMPLES,
  ...OPERATION_EXAMPLES,
  ...SUBSCRIPTION_EXAMPLES,
  ...KEY_EXAMPLES,
  ...ERASURE_EXAMPLES,
};

const JSON_TYPE = 'application/json';

/** Returns a route with the examples of its operation. */
export function withExamples(route: RouteConfig): RouteConfig {
  const examples = EXAMPLES[route.operationId ?? ''];
  if (!examples) return route;
  const { body } = route.request ?? {};
  const asked = body?.content[JSON_TYPE];
  const responses = Object.entries(route.responses).map(([status, response]) => {
    const answered = 'content' in response ? response.content?.[JSON_TYPE] : undefined;
    const example = examples.responses[Number(status)];
    if (!answered || example === undefined || !('content' in response)) return [status, response];
    return [status, { ...response, content: { ...response.content, [JSON_TYPE]: { ...answered, example } } }];
  });
  return {
    ...route,
    responses: Object.fromEntries(responses),
    ...(asked && examples.request !== undefined
      ? {
          request: {
            ...route.request,
            body: { ...body, content: { ...body?.content, [JSON_TYPE]: { ...asked, example: examples.request } } },
          },
        }
      : {}),
  } as RouteConfig;
}
