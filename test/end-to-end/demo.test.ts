import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { eventually } from '../world/eventually.ts';
import { processesOf } from './processes-of.ts';
import { directory, Program } from './program.ts';

describe('npm run demo', () => {
  const demo = async () => {
    const home = await directory();
    const temporary = join(home, 'tmp');
    // TMPDIR marks all that the demo starts and holds all that it writes.
    const { mkdir } = await import('node:fs/promises');
    await mkdir(temporary);
    return { temporary, program: new Program('npm', ['run', 'demo'], { TMPDIR: temporary }, join(home, 'demo.log')) };
  };

  it('says that GitHub is simulated, shows a build to its end, exits 0 and leaves nothing', async () => {
    const { temporary, program } = await demo();
    expect(await program.ended).toEqual({ code: 0, signal: null });
    const lines = program.output.split('\n');
    expect(lines.find((line) => line.startsWith('hapax'))).toMatch(/SIMULATED GitHub/);
    const shown = lines.flatMap((line) => /^ *\+[\d.]+s {2}(\w+)/.exec(line)?.[1] ?? []);
    expect(shown.filter((type) => type !== 'run_updated')).toEqual([
      'build_queued',
      'build_started',
      'dispatch_intended',
      'workflow_triggered',
      'build_completed',
    ]);
    expect(program.output).toContain('"message":"Build already exists"');
    await eventually(() => expect(processesOf(temporary)).toEqual([]));
    expect(readdirSync(temporary).filter((name) => name.startsWith('hapax'))).toEqual([]);
  });

  it.each([0, 400, 1_500, 4_000])('stopped with Ctrl-C after %i ms or so leaves nothing', async (ms) => {
    const { temporary, program } = await demo();
    const startedAt = Date.now();
    await eventually(() => expect(Date.now() - startedAt).toBeGreaterThanOrEqual(ms));
    program.signal('SIGINT');
    await program.ended;
    await eventually(() => expect(processesOf(temporary)).toEqual([]));
  });
});
