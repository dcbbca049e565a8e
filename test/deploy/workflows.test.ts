import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { parse } from 'yaml';
import { BUILD_TIMEOUT_MS, goTool, HAS_GO } from '../world/go-tools.ts';
import { describeWith } from '../world/required-programs.ts';
import { run } from './chart.ts';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FILES = [
  '.github/workflows/ci.yml',
  '.github/workflows/release.yml',
  'integrations/n8n/.github/workflows/publish.yml',
];
const read = (path: string) => readFileSync(`${ROOT}${path}`, 'utf8');

interface Job {
  permissions?: Record<string, string>;
  uses?: string;
  'timeout-minutes'?: number;
  steps?: Array<{ uses?: string; run?: string; with?: Record<string, unknown> }>;
}
interface Workflow {
  permissions?: Record<string, string>;
  jobs: Record<string, Job>;
}

describe('workflows of GitHub', () => {
  it.each(FILES)('name every action by its commit, with its version: %s', (file) => {
    const used = read(file).match(/uses: .*/g) ?? [];
    expect(used.length).toBeGreaterThan(1);
    for (const one of used) expect(one).toMatch(/^uses: (\.\/\S+|[\w-]+\/[\w-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$/);
  });

  it('have no right that a job does not need', () => {
    const release = parse(read('.github/workflows/release.yml')) as Workflow;
    expect(release.permissions).toEqual({});
    const rights = Object.fromEntries(
      Object.entries(release.jobs).map(([name, { permissions }]) => [name, permissions]),
    );
    const contents = 'read';
    expect(rights).toEqual({
      test: { contents },
      check: { contents },
      image: { contents, packages: 'write' },
      'publish-image': { packages: 'write', 'id-token': 'write', attestations: 'write' },
      chart: { contents, packages: 'write' },
      npm: { contents, 'id-token': 'write' },
      release: { contents: 'write' },
    });
    expect((parse(read('.github/workflows/ci.yml')) as Workflow).permissions).toEqual({ contents });
  });

  it('leave no token behind, put nothing of an event into a script, and end', () => {
    for (const file of FILES.slice(0, 2)) {
      for (const [name, { steps = [], uses, ...job }] of Object.entries((parse(read(file)) as Workflow).jobs)) {
        if (!uses) expect(job['timeout-minutes'], name).toBeGreaterThan(0);
        for (const step of steps) {
          if (step.uses?.startsWith('actions/checkout@'))
            expect(step.with, name).toEqual({ 'persist-credentials': false });
          expect(step.run ?? '', name).not.toContain('${' + '{');
        }
      }
    }
  });
});

describeWith({ go: HAS_GO }, 'workflows of GitHub, by actionlint', () => {
  let actionlint: string;
  beforeAll(async () => {
    actionlint = await goTool('actionlint');
  }, BUILD_TIMEOUT_MS);

  it('have no fault', async () => {
    expect(await run(actionlint, ['-shellcheck=', '-pyflakes=', ...FILES])).toBe('');
    const faulty = read(FILES[0]!).replace('- run:', '- runs:');
    await expect(run(actionlint, ['-shellcheck=', '-pyflakes=', '-'], faulty)).rejects.toThrow('step must run script');
  });
});
