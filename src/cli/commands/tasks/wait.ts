import type { Command } from 'commander';
import { durationMs, runsWith } from '../../client/command.ts';
import { waitForTask } from '../../wait-task.ts';

export function define(command: Command): void {
  command
    .argument('<task>', 'id of the task')
    .option('--timeout <time>', 'stop waiting after this time, such as 30m', durationMs);
  runsWith<{ timeout?: number }>(command, ({ api, json, options }, id = '') =>
    waitForTask(api, id, { json, timeoutMs: options.timeout }),
  );
}
