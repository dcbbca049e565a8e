import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const PROGRAM = fileURLToPath(new URL('programs/log.ts', import.meta.url));

/** What Linux has for a file on a full disk. */
const FULL = '/dev/full';

it.skipIf(!existsSync(FULL))(
  'a process whose log is on a full disk works on, and ends when it has nothing to do',
  async () => {
    const started = ['-c', `exec "$0" "$1" > ${FULL}`, process.execPath, PROGRAM];
    // Without a time limit of its own, a process that hangs would outlive the test.
    const { stderr } = await promisify(execFile)('sh', started, { timeout: 120_000, killSignal: 'SIGKILL' });
    expect(stderr).toBe('works on\n');
  },
);
