import { readFileSync } from 'node:fs';
import { Ajv, type ValidateFunction } from 'ajv';

/** JSON Schema as GitHub writes it: OpenAPI 3.0, which is almost JSON Schema. */
type Schema = { [key: string]: unknown };
type Operation = { responses: Record<string, { content?: Record<string, { schema: Schema }> }> };
type Description = {
  paths: Record<string, Record<string, Operation>>;
  'x-webhooks': Record<string, { post: { requestBody: { content: Record<string, { schema: Schema }> } } }>;
};

const uri = (text: string) => URL.canParse(text);
const ajv = new Ajv({
  strict: false,
  allErrors: true,
  formats: {
    uri,
    'uri-template': (text: string) => text.length > 0,
    'date-time': (text: string) =>
      /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/.test(text) && !Number.isNaN(Date.parse(text)),
    int64: { type: 'number', validate: Number.isSafeInteger },
    email: (text: string) => text.includes('@'),
  },
});

let description: Description | undefined;
const validators = new Map<string, ValidateFunction>();

function describe(): Description {
  const path = new URL('../../node_modules/@octokit/openapi/generated/api.github.com.deref.json', import.meta.url);
  description ??= JSON.parse(readFileSync(path, 'utf8')) as Description;
  return description;
}

/**
 * What is wrong with an answer, by GitHub's own description; empty when nothing is. Errors the operation does not document
 * have to look like GitHub's other errors.
 *
 * @param operation method and path template, such as `GET /repos/{owner}/{repo}`
 */
export function faultsOfAnswer(operation: string, status: number, body: unknown): string[] {
  const [method = '', path = ''] = operation.split(' ');
  const responses = describe().paths[path]?.[method.toLowerCase()]?.responses;
  if (responses === undefined) return [`${operation} is not in GitHub's description`];
  const documented = responses[String(status)];
  if (documented === undefined && status < 400) return [`${operation} never answers ${status}`];
  const errors = describe().paths['/repos/{owner}/{repo}']?.get?.responses['404'];
  const schema = (documented ?? errors)?.content?.['application/json']?.schema;
  if (schema === undefined) return body === undefined ? [] : [`${operation} ${status} has no body`];
  return faults(`${operation} ${documented === undefined ? 'error' : status}`, schema, body);
}

/** What is wrong with the body of a webhook, such as `workflow-run-completed`; empty when nothing is. */
export function faultsOfEvent(name: string, body: unknown): string[] {
  const schema = describe()['x-webhooks'][name]?.post.requestBody.content['application/json']?.schema;
  return schema === undefined ? [`${name} is not in GitHub's description`] : faults(name, schema, body);
}

function faults(name: string, schema: Schema, body: unknown): string[] {
  const validate = validators.get(name) ?? ajv.compile(asJsonSchema(schema) as Schema);
  validators.set(name, validate);
  validate(body);
  return (validate.errors ?? []).map((error) => `${error.instancePath} ${error.message}`);
}

/** OpenAPI 3.0 says `nullable`, JSON Schema says `type: null`. */
function asJsonSchema(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asJsonSchema);
  if (typeof value !== 'object' || value === null) return value;
  const { nullable, ...rest } = Object.fromEntries(
    Object.entries(value).map(([key, inner]) => [
      key,
      key === 'enum' || key === 'example' ? inner : asJsonSchema(inner),
    ]),
  );
  return nullable === true ? { anyOf: [{ type: 'null' }, rest] } : rest;
}
