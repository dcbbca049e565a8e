import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Validator } from '@seriousme/openapi-schema-validator';
import { describe, expect, it } from 'vitest';
import { configurationPage, generatedFiles, openApiDocument } from '../../scripts/generate-docs.ts';
import { PROBLEMS } from '../../src/contracts/problem.ts';
import { settingsSchema } from '../../src/contracts/settings.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

describe('generated files', () => {
  it('are as the code would write them now; if not, run `node scripts/generate-docs.ts`', async () => {
    const generated = await generatedFiles();
    expect([...generated.keys()]).toEqual(['docs/configuration.md', 'docs/limits.md', 'docs/openapi.json']);
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
});
