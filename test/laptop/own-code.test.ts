import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { expect, it } from 'vitest';

const PROGRAM = fileURLToPath(new URL('programs/stray-rejection.ts', import.meta.url));

it('a promise that a task leaves alone fails its attempt, and one that nobody owns ends the process', async () => {
  const child = spawn(process.execPath, [PROGRAM], { stdio: ['ignore', 'pipe', 'pipe'], timeout: 120_000 });
  const [[status], said, errors] = await Promise.all([once(child, 'exit'), text(child.stdout), text(child.stderr)]);
  expect(said).toBe('the attempt failed: left alone\n');
  expect(errors).toMatch(/task_id: 'careless-1'/);
  // The fetches that the task left alone are no fault.
  expect(errors).not.toContain('aborted');
  expect(errors).toMatch(/Error: of nobody/);
  expect(status).toBe(1);
});
