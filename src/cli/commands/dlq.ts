import type { Command } from 'commander';
import { define as discard } from './dlq/discard.ts';
import { define as list } from './dlq/list.ts';
import { define as redrive } from './dlq/redrive.ts';
import { define as show } from './dlq/show.ts';

export function define(command: Command): void {
  list(command.command('list').description('list dead letters, the newest first'));
  show(command.command('show').description('show a dead letter with all its events'));
  redrive(command.command('redrive').description('start dead letters again'));
  discard(command.command('discard').description('remove dead letters from the list'));
}
