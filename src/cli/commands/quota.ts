import type { Command } from 'commander';
import { runsWith } from '../client/command.ts';
import { moment } from '../output/moments.ts';
import { print, printJson } from '../output/screen.ts';
import { fields } from '../output/table.ts';

interface Quota {
  date: string;
  units_used: number;
  units_remaining: number;
  priority_reserved: number;
  percentage_used: number;
  resets_at: string;
}

export function define(command: Command): void {
  runsWith<object>(command, async ({ api, json }) => {
    const quota = await api.json<Quota>('/api/v1/quota/youtube');
    if (json) return printJson(quota);
    print(
      ...fields({
        used: `${quota.units_used} units, ${quota.percentage_used} %`,
        left: `${quota.units_remaining} units, ${quota.priority_reserved} of them for priority`,
        resets: moment(quota.resets_at),
      }),
    );
  });
}
