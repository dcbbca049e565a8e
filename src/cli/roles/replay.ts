import type { Command } from 'commander';
import { positive } from '../client/command.ts';
import { runsProcess } from '../roles.ts';

export function define(command: Command): void {
  runsProcess<{ limit: number }>(
    command.option('--limit <number>', 'how many workflows, the ones that started last', positive, 1_000),
    async ({ limit }) => (await import('../../processes/replay.ts')).runReplay(limit, process.env),
    `It reads the histories of the open workflows from TEMPORAL_ADDRESS and replays them here. It changes nothing.
Run it with the new version before you roll it out.`,
  );
}
