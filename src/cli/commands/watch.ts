import type { Command } from 'commander';
import { durationMs, positive, runsWith } from '../client/command.ts';
import { watchBuild } from '../watch-build.ts';

export function define(command: Command): void {
  command
    .argument('<build>', 'id of the build')
    .option('--timeout <time>', 'stop watching after this time, such as 30m', durationMs);
  runsWith<{ timeout?: number }>(command, async ({ api, json, options }, id = '') =>
    watchBuild(api, positive(id), { json, timeoutMs: options.timeout }),
  );
}
