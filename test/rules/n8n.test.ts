import { spawnSync } from 'node:child_process';
import { createHmac, randomBytes } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runInNewContext } from 'node:vm';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildNode, compiled, hasTools, PACKAGE } from '../world/n8n-node.ts';
import { describeWith } from '../world/required-programs.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const EXAMPLES = join(ROOT, 'examples/n8n');
const openapi = JSON.parse(readFileSync(join(ROOT, 'docs/openapi.json'), 'utf8'));

/** A property of a node's description, as far as we look at it. */
interface Property {
  name: string;
  value?: string;
  type?: string;
  options?: Property[];
  displayOptions?: { show: { resource?: string[]; operation?: string[] } };
  routing?: { request?: { method: string; url: string }; send?: { type: string; property?: string; value?: string } };
}

describeWith({ 'the tools of n8n (npm)': hasTools() }, 'the nodes for n8n', () => {
  let properties: Property[];
  beforeAll(() => {
    buildNode();
    properties = new (compiled('nodes/Hapax/Hapax.node.js').Hapax)().description.properties;
  });

  it("pass n8n's linter, and its scanner of published packages", () => {
    // Its rules do other things in a test of their own.
    const options = { cwd: PACKAGE, encoding: 'utf8', env: { ...process.env, NODE_ENV: '' } } as const;
    const { status, stderr } = spawnSync(process.execPath, ['lint.mjs'], options);
    expect([status, stderr]).toEqual([0, '']);
  });

  it('ask only for what the description of the API has', () => {
    const operations = properties
      .filter(({ name }) => name === 'operation')
      .flatMap(({ displayOptions, options = [] }) =>
        options.map((option) => ({ resource: displayOptions?.show.resource?.[0] ?? '', ...option })),
      );
    expect(operations.map(({ resource, value }) => `${resource} ${value}`).sort()).toEqual([
      ...['build cancel', 'build get', 'build getAll', 'build retry', 'build trigger', 'build wait'],
      ...['content get', 'content getAll', 'search search', 'task create', 'task get', 'task wait'],
    ]);
    for (const { resource, value = '', routing } of operations) {
      const { method = '', url = '' } = routing?.request ?? {};
      const path = url.replace(/^=/, '').replaceAll(/\{\{.*?\}\}/g, '{id}');
      const operation = openapi.paths[path]?.[method.toLowerCase()];
      expect(operation, `${method} ${path}`).toBeDefined();
      const sent = properties
        .filter(({ displayOptions }) => displayOptions?.show.operation?.includes(value))
        .filter(({ displayOptions }) => displayOptions?.show.resource?.includes(resource))
        .flatMap(sentBy);
      const { body, query } = parametersOf(operation);
      expect(sent.filter(({ type, property }) => !(type === 'body' ? body : query).includes(property))).toEqual([]);
      for (const own of { pages: ['limit', 'cursor'], wait: ['wait'] }[value === 'getAll' ? 'pages' : value] ?? []) {
        expect(query).toContain(own);
      }
    }
  });

  it('offer only names and statuses that there are', () => {
    const choicesOf = (wanted: string): string[] => properties.flatMap((one) => choices(one, wanted));
    const { enum: statuses } = openapi.components.schemas.BuildStatus;
    expect(choicesOf('status').sort()).toEqual([...statuses].sort());
    const modes = openapi.components.schemas.RetryBuild.properties.mode.enum;
    expect(choicesOf('mode').filter((one) => one !== '')).toEqual(expect.arrayContaining(modes));
    const { description } = openapi.components.schemas.CreateTask.properties.name;
    for (const name of choicesOf('name')) expect(description).toContain(name);
  });

  it('send no empty tag of a search', () => {
    const { value = '' } = properties.find(({ name }) => name === 'tags')?.routing?.send ?? {};
    const tagsOf = (given: string) => runInNewContext(value.replace(/^=\{\{(.*)\}\}$/, '$1'), { $value: given });
    expect(tagsOf('')).toBeUndefined();
    expect(JSON.stringify(['a,', ' a , b,, ', ','].map(tagsOf))).toBe('[["a"],["a","b"],[]]');
  });

  it('believe a message only with its signature, its time and its bytes', () => {
    const { isSigned } = compiled('nodes/HapaxTrigger/signature.js');
    const secret = `whsec_${randomBytes(32).toString('base64')}`;
    const body = Buffer.from('{"type":"build_completed","data":{"2":"b","1":"ü"}}');
    const now = 1_795_312_957_000;
    const timestamp = '1795312957';
    const sign = (key: string) =>
      `v1,${createHmac('sha256', Buffer.from(key.slice(6), 'base64'))
        .update(`msg_1.${timestamp}.`)
        .update(body)
        .digest('base64')}`;
    const good = { id: 'msg_1', timestamp, signature: sign(secret), body };
    expect(isSigned(secret, good, now)).toBe(true);
    // Two secrets, while one replaces the other.
    const other = `whsec_${randomBytes(32).toString('base64')}`;
    expect(isSigned(secret, { ...good, signature: `${sign(other)} ${sign(secret)}` }, now + 299_000)).toBe(true);
    const bad = [
      { ...good, id: 'msg_2' },
      { ...good, id: undefined },
      { ...good, timestamp: '1795312958' },
      { ...good, timestamp: 'now' },
      { ...good, signature: sign(other) },
      { ...good, signature: sign(secret).slice(0, -1) },
      { ...good, signature: '' },
      { ...good, signature: undefined },
      { ...good, body: Buffer.from('{}') },
    ];
    for (const one of bad) expect(isSigned(secret, one, now), JSON.stringify(one)).toBe(false);
    for (const late of [-301_000, 301_000]) expect(isSigned(secret, good, now + late)).toBe(false);
  });

  it('go on waiting while Hapax is away, and say at once what it refuses', async () => {
    const { waitForEnd } = compiled('nodes/Hapax/paging.js');
    const wait = (...answers: Array<object>) => {
      const node = {
        getNodeParameter: () => 600,
        getExecutionCancelSignal: () => undefined,
        makeRoutingRequest: async () => {
          const answer = answers.shift()!;
          if (answer instanceof Error) throw answer;
          return [{ json: answer }];
        },
      };
      return waitForEnd.call(node, { options: {} });
    };
    const reset = Object.assign(new Error('reset'), { code: 'ECONNRESET' });
    const away = Object.assign(new Error('away'), { httpCode: '503' });
    const ended = { completed_at: '2026-11-21T10:00:00Z' };
    expect(await wait(reset, away, ended)).toEqual([{ json: ended }]);
    const unknown = Object.assign(new Error('unknown'), { httpCode: '404' });
    await expect(wait(unknown, ended)).rejects.toBe(unknown);
  });

  it('make one subscription though an answer is lost, and none where there is no Hapax', async () => {
    const { subscribe } = compiled('nodes/HapaxTrigger/subscription.js');
    const asked: Array<{ headers: object; body: object }> = [];
    const nodeWith = (...answers: Array<object>) => ({
      getNode: () => ({ name: 'Hapax Trigger', type: 'n8n-nodes-hapax.hapaxTrigger', typeVersion: 1 }),
      getCredentials: async () => ({ baseUrl: 'http://hapax.test' }),
      helpers: {
        async httpRequestWithAuthentication(_credential: string, { headers, body }: (typeof asked)[number]) {
          asked.push({ headers, body });
          const answer = answers.shift()!;
          if (answer instanceof Error) throw answer;
          return answer;
        },
      },
    });
    const lost = Object.assign(new Error('socket hang up'), { code: 'ECONNRESET' });
    const body = { url: 'http://n8n.test/', secret: 'whsec_x' };
    expect(await subscribe(nodeWith(lost, { statusCode: 201, body: { id: 'sub_1' } }), body)).toBe('sub_1');
    expect(asked[0]).toEqual({ headers: { 'Idempotency-Key': expect.stringMatching(/^n8n-/) }, body });
    expect(asked[1]).toEqual(asked[0]);
    const nowhere = { statusCode: 404, body: { code: 'not_found', title: 'Not found' } };
    await expect(subscribe(nodeWith(nowhere), body)).rejects.toThrow('There is no Hapax at the Base URL');
  });

  it('say what Hapax refused, and what to do', () => {
    const { problemOf } = compiled('nodes/Hapax/problem.js');
    const node = { name: 'Hapax', type: 'n8n-nodes-hapax.hapax', typeVersion: 1 };
    const told = (statusCode: number, body: unknown) => problemOf(node, { statusCode, body, headers: {} });
    const body = { title: 'Invalid request', status: 400, code: 'invalid_request', request_id: 'r' };
    expect(told(400, { ...body, errors: [{ path: 'body.ref', message: 'is too long' }] })).toMatchObject({
      ...{ message: 'Invalid request', description: 'body.ref: is too long', httpCode: '400' },
    });
    expect(told(401, { ...body, title: 'Unauthorized', code: 'unauthorized', detail: 'no key' })).toMatchObject({
      ...{ message: 'Unauthorized: no key', description: expect.stringContaining('API_KEYS') },
    });
    expect(told(502, '<html>')).toMatchObject({ description: expect.stringContaining('Base URL') });
  });
});

describe('the examples for n8n', () => {
  const files = readdirSync(EXAMPLES);
  const paths = Object.keys(openapi.paths).map((path) => new RegExp(`^${path.replaceAll(/\{.*?\}/g, '[^/]+')}$`));

  it.each(files)('%s has no secret and no loose end, and asks for what there is', (file) => {
    const { name, nodes, connections } = JSON.parse(readFileSync(join(EXAMPLES, file), 'utf8'));
    expect(name).toMatch(/^Hapax: /);
    const names: string[] = nodes.map((node: Property) => node.name);
    expect(new Set(names).size).toBe(names.length);
    for (const { main } of Object.values(connections) as Array<{ main: Array<Array<{ node: string }>> }>) {
      for (const { node } of main.flat()) expect(names).toContain(node);
    }
    for (const { credentials = {}, parameters } of nodes) {
      for (const { id } of Object.values(credentials) as Array<{ id: string }>) expect(id).toBe('');
      for (const [, used = ''] of JSON.stringify(parameters).matchAll(/\$\('([^']+)'\)/g))
        expect(names).toContain(used);
    }
    for (const { type, parameters } of nodes) {
      if (type !== 'n8n-nodes-base.httpRequest') continue;
      const path = parameters.url
        .replace(/^=\{\{.*?\}\}/, '')
        .replaceAll(/\{\{.*?\}\}/g, '1')
        .replace(/\?.*$/, '');
      if (!path.startsWith('/api/task/')) expect(paths.some((one) => one.test(path))).toBe(true);
    }
  });

  it('are all in the docs', () => {
    const page = readFileSync(join(ROOT, 'docs/n8n.md'), 'utf8');
    expect(files.filter((file) => !page.includes(`examples/n8n/${file}`))).toEqual([]);
  });
});

/** What a property, or one in it, sends. */
function sentBy({ routing, options = [] }: Property): Array<{ type: string; property: string }> {
  const { type = '', property } = routing?.send ?? {};
  return [...(property === undefined ? [] : [{ type, property }]), ...options.flatMap(sentBy)];
}

function choices({ name, type, options = [] }: Property, wanted: string): string[] {
  if (name === wanted && type === 'options') return options.map(({ value = '' }) => value);
  return options.flatMap((option) => choices(option, wanted));
}

/** Names that an operation takes. */
function parametersOf({
  parameters = [],
  requestBody,
}: {
  parameters?: Array<{ in: string; name: string }>;
  requestBody?: { content: Record<string, { schema: { $ref: string } }> };
}) {
  const reference = requestBody?.content['application/json']?.schema.$ref.split('/').at(-1);
  const schema = reference === undefined ? undefined : openapi.components.schemas[reference];
  const query = parameters.filter((one) => one.in === 'query').map(({ name }) => name);
  return { query, body: Object.keys(schema?.properties ?? {}) };
}
