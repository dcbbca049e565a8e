import type { Command } from 'commander';
import { runsProcess } from '../roles.ts';

export function define(command: Command): void {
  runsProcess<object>(
    command
      .option('--dialect <kind>', 'whose API it speaks: github, gitea or forgejo', 'github')
      .option('--port <number>', 'of 127.0.0.1 (default: any that is free)')
      .option('--data <file>', 'keeps its runs (default: they are gone with it)')
      .option('--queued <ms>', 'how long a run waits')
      .option('--running <ms>', 'how long a run takes')
      .option('--webhook-url <url>', 'where it sends webhooks')
      .option('--webhook-secret <secret>', 'signs them'),
    async (options) => (await import('../../simulator/main.ts')).simulateGitHub(options),
  );
}
