import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, it } from 'vitest';
import type { ZodType } from 'zod';
import { configurationPage, describedApi, generatedFiles, openApiDocument } from '../../scripts/generate-docs.ts';
import { EXAMPLES } from '../../src/api/examples/apply.ts';
import { RIGHTS, type Right } from '../../src/contracts/keys/key-event.ts';
import { PROBLEMS } from '../../src/contracts/problem.ts';
import { settingsSchema } from '../../src/contracts/settings.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

describe('generated files', () => {
  it('are as the code would write them now; if not, run `node scripts/generate-docs.ts`', async () => {
    const generated = await generatedFiles();
    expect([...generated.keys()]).toEqual([
      'docs/configuration.md',
      'docs/limits.md',
      'docs/openapi.json',
      'deploy/helm/hapax/values.schema.json',
    ]);
    for (const [path, content] of generated) expect(readFileSync(join(ROOT, path), 'utf8'), path).toBe(content);
  });
});

describe('docs/configuration.md', () => {
  const page = configurationPage();

  it('has a row with a meaning for every setting', () => {
    for (const name of Object.keys(settingsSchema.shape)) {
      const row = page.split('\n').find((line) => line.startsWith(`| \`${name}\` |`));
      expect(row?.split(' | ').at(-1)?.length, name).toBeGreaterThan(10);
    }
  });

  it('shows durations as one would write them, and marks secrets', () => {
    expect(page).toContain('| `DEDUP_WINDOW` | duration | `5m` |');
    expect(page).toContain('| `BUILD_DEADLINE` | duration | `3h` |');
    expect(page).toContain('| `PORT` | whole number, 0 to 65535 | `8000` |');
    expect(page).toContain('| `LOG_LEVEL` | `trace`, `debug`, `info`, `warn`, `error`, `fatal`, `silent` | `info` |');
    expect(page).toMatch(/^\| `GITHUB_TOKEN` .*\*\*Secret\.\*\* \|$/m);
  });
});

interface Operation {
  operationId?: string;
  summary?: string;
  responses: Record<string, { content?: Record<string, unknown> }>;
}

describe('docs/openapi.json', () => {
  it('is valid by the schema of OpenAPI 3.1', async () => {
    const document = await openApiDocument();
    const valid = await new Validator().validate(document);
    expect(valid.errors).toBeUndefined();
    expect(valid.valid).toBe(true);
    const broken = await new Validator().validate({ ...document, paths: { '/x': { get: { responses: 'none' } } } });
    expect(broken.valid).toBe(false);
  });

  it('names, sums up and describes the problems of every operation', async () => {
    const { paths } = (await openApiDocument()) as { paths: Record<string, Record<string, Operation>> };
    const operations = Object.values(paths).flatMap((methods) => Object.values(methods));
    const ids = operations.map(({ operationId }) => operationId);
    expect(new Set(ids).size).toBe(operations.length);
    expect(ids).not.toContain(undefined);
    for (const { operationId, summary, responses } of operations) {
      expect(summary, operationId).toBeTruthy();
      const problems = Object.entries(responses).filter(
        ([, { content }]) => content && 'application/problem+json' in content,
      );
      const statuses = new Set(Object.values(PROBLEMS).map(({ status }) => String(status)));
      for (const [status] of problems) expect(statuses, operationId).toContain(status);
    }
  });

  it('shows an example of every body, which its schema takes as it is', () => {
    const shown = new Set<string>();
    for (const definition of describedApi().openAPIRegistry.definitions) {
      if (definition.type !== 'route') continue;
      const { operationId = '', request, responses } = definition.route;
      const bodies = [
        ['request', request?.body?.content['application/json']],
        ...Object.entries(responses).map(([status, response]) => [
          status,
          'content' in response ? response.content?.['application/json'] : undefined,
        ]),
      ] as Array<[string, { schema: ZodType; example?: unknown } | undefined]>;
      for (const [where, body] of bodies.filter(([, one]) => one)) {
        const name = `${operationId} ${where}`;
        expect(body?.example, name).toBeDefined();
        const { data, error } = body!.schema.safeParse(body?.example);
        expect(error, name).toBeUndefined();
        // Schemas of requests fill in defaults; what they do not know, they refuse.
        if (where !== 'request') expect(data, name).toEqual(body?.example);
        shown.add(operationId);
      }
    }
    expect(Object.keys(EXAMPLES).filter((id) => !shown.has(id))).toEqual([]);
    expect(shown.size).toBeGreaterThan(38);
  });

  it('says for every operation who may ask: anybody, GitHub, or the owner of a key', async () => {
    const { paths, components } = (await openApiDocument()) as {
      paths: Record<string, Record<string, Operation & { security?: unknown[] }>>;
      components: { securitySchemes: Record<string, unknown> };
    };
    expect(Object.keys(components.securitySchemes)).toEqual(['key', 'signature']);
    const bearsKey = (scheme: unknown) => RIGHTS.includes((scheme as { key?: [Right] }).key?.[0] as Right);
    const without = Object.entries(paths).flatMap(([path, methods]) =>
      Object.values(methods).flatMap(({ security }) => (security?.some(bearsKey) ? [] : [[path, security]])),
    );
    expect(Object.fromEntries(without)).toEqual({
      '/': [],
      '/health': [],
      '/health/live': [],
      '/health/ready': [],
      '/webhooks/forges/{credential}': [{ signature: [] }],
      '/webhooks/github': [{ signature: [] }],
    });
  });
});
