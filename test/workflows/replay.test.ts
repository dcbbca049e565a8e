import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { Worker } from '@temporalio/worker';
import { DeterminismViolationError } from '@temporalio/workflow';
import { describe, expect, it } from 'vitest';
import { workflowBundle } from '../../src/worker/bundle.ts';
import '../world/temporal-runtime.ts';
import { historyFromJson } from './history-json.ts';
import { PATHS } from './paths.ts';

const DIRECTORY = fileURLToPath(new URL('../histories', import.meta.url));
const files = readdirSync(DIRECTORY).filter((name) => name.endsWith('.json'));

const textOf = (file: string) => readFileSync(`${DIRECTORY}/${file}`, 'utf8');
const replay = (code: string, history: string) =>
  Worker.runReplayHistory({ workflowBundle: { code } }, historyFromJson(JSON.parse(history)));

describe('builds that began under earlier code', () => {
  it('are recorded for every path', () => {
    expect(files).toEqual(expect.arrayContaining(Object.keys(PATHS).map((name) => `${name}.json`)));
  });

  it.for(files)('go on under the present code: %s', async (file) => {
    await replay(readFileSync(await workflowBundle(), 'utf8'), textOf(file));
  });

  it.for(files)('tell nothing about the machine they were recorded on: %s', (file) => {
    const history = textOf(file);
    const payloads = [...history.matchAll(/"data": "([^"]+)"/g)].map(([, data]) =>
      Buffer.from(data!, 'base64').toString('utf8'),
    );
    for (const text of [history, ...payloads]) {
      expect(text.match(/\d+@.*|\S*\.(ts|js):\d.*/g)).toBeNull();
    }
  });

  it.for([
    // What the workflow decides,
    ['FEWEST_READS = 3', 'FEWEST_READS = 6', 'build-lost-then-sent-again.json'],
    // what it asks for,
    ['await github.cancelRun(target)', 'await github.findRuns(target)', 'build-deadline.json'],
    // and the pure code that it decides with.
    ['STATUS_BY_CONCLUSION.get(conclusion)', 'undefined', 'build-success.json'],
  ] as const)('would fail if "%s" became "%s"', async ([before, after, file]) => {
    const code = readFileSync(await workflowBundle(), 'utf8');
    const changed = code.replace(before, after);
    expect(changed).not.toBe(code);
    await expect(replay(changed, textOf(file))).rejects.toThrow(DeterminismViolationError);
  });

  it.for([
    ['(wait)', '(wait + 5e3)', 'build-rate-limited.json'],
    ['(pauseMs)', '(pauseMs + 5e3)', 'build-of-another-program-that-starts-none.json'],
  ] as const)(
    'would not if the pause "%s" became "%s": only that there is a timer counts',
    async ([before, after, file]) => {
      const code = readFileSync(await workflowBundle(), 'utf8');
      const changed = code.replace(`operator.pause${before}`, `operator.pause${after}`);
      expect(changed).not.toBe(code);
      await replay(changed, textOf(file));
    },
  );
});
