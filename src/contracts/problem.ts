import { z } from 'zod';

/** The one table of errors in API responses: code -> HTTP status and title. Codes are stable; clients may switch over them. */
export const PROBLEMS = {
  malformed_request: { status: 400, title: 'The request is not valid HTTP' },
  malformed_json: { status: 400, title: 'The body is not valid JSON' },
  invalid_request: { status: 400, title: 'The request is not valid' },
  invalid_idempotency_key: { status: 400, title: 'The Idempotency-Key is not valid' },
  unauthorized: { status: 401, title: 'Credentials are missing or wrong' },
  forbidden: { status: 403, title: 'The key may not do this' },
  forbidden_host: { status: 403, title: 'This host name is not served' },
  read_only: { status: 403, title: 'The console is read-only' },
  cross_site: { status: 403, title: 'Requests from other web sites are refused' },
  not_found: { status: 404, title: 'There is no such resource' },
  method_not_allowed: { status: 405, title: 'This method is not supported here' },
  not_supported: { status: 409, title: 'The forge of this build cannot do this' },
  credential_missing: { status: 409, title: 'The credential of the build configuration is not set' },
  state_conflict: { status: 409, title: 'The current state does not allow this' },
  configuration_name_taken: { status: 409, title: 'Another build configuration has this name' },
  configuration_of_environment: { status: 409, title: 'This build configuration comes from environment variables' },
  request_timeout: { status: 408, title: 'The request took too long to arrive' },
  too_many_subscriptions: { status: 409, title: 'The limit of subscriptions is reached' },
  too_many_keys: { status: 409, title: 'The limit of keys is reached' },
  precondition_failed: { status: 412, title: 'The resource was changed in the meantime' },
  body_too_large: { status: 413, title: 'The body is larger than 1 MiB' },
  expectation_failed: { status: 417, title: 'The server cannot meet the header Expect' },
  rate_limited: { status: 429, title: 'Too many requests' },
  too_many_in_flight: { status: 429, title: 'The limit of work in flight of the key is reached' },
  head_too_large: { status: 431, title: 'The URL and the headers are too long' },
  unsupported_media_type: { status: 415, title: 'The body must be application/json' },
  idempotency_key_reused: { status: 422, title: 'The Idempotency-Key was used with another request' },
  task_id_reused: { status: 422, title: 'The task id was used with another request' },
  unknown_task: { status: 422, title: 'There is no such task' },
  unknown_configuration: { status: 422, title: 'There is no such build configuration' },
  configuration_retired: { status: 422, title: 'The build configuration is retired' },
  repository_not_allowed: { status: 422, title: 'This repository is not allowed' },
  missing_field: { status: 422, title: 'The build configuration needs a field that is missing in the request' },
  unprocessable_callback_url: { status: 422, title: 'Hapax may not send callbacks to this URL' },
  unprocessable_payloads: { status: 422, title: 'A payload of Temporal cannot be decrypted' },
  unprocessable_inputs: { status: 422, title: 'GitHub would refuse these inputs' },
  internal: { status: 500, title: 'Something went wrong in Hapax' },
  too_many_streams: { status: 503, title: 'This process cannot serve more event streams' },
  forge_unavailable: { status: 503, title: 'The forge does not list its runs' },
  issuer_unavailable: { status: 503, title: 'The issuer of the token cannot be reached' },
  still_closing: { status: 503, title: 'The build or task has ended, but its workflow is not closed yet' },
  temporal_unavailable: { status: 503, title: 'Temporal cannot be reached' },
  database_unavailable: { status: 503, title: 'The database cannot be reached' },
} as const;

export type ProblemCode = keyof typeof PROBLEMS;

/** Problem document of RFC 9457. */
export const problem = z
  .object({
    type: z.string(),
    title: z.string(),
    status: z.int(),
    detail: z.string().optional(),
    code: z.enum(Object.keys(PROBLEMS) as [ProblemCode, ...ProblemCode[]]),
    request_id: z.string(),
    errors: z.array(z.object({ path: z.string(), message: z.string() })).optional(),
  })
  .meta({ id: 'Problem' });
export type Problem = z.infer<typeof problem>;
