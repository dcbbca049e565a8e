import type { Command } from 'commander';
import { define as list } from './tasks/list.ts';
import { define as retire } from './tasks/retire.ts';
import { define as retry } from './tasks/retry.ts';
import { define as revoke } from './tasks/revoke.ts';
import { define as send } from './tasks/send.ts';
import { define as show } from './tasks/show.ts';
import { define as types } from './tasks/types.ts';
import { define as wait } from './tasks/wait.ts';

export function define(command: Command): void {
  send(command.command('send').description('send a task'));
  wait(command.command('wait').description('wait for the end of a task, and print its result'));
  list(command.command('list').description('list tasks'));
  types(command.command('types').description('list the tasks that can be sent, and who runs them'));
  retire(command.command('retire').description('take a task that nobody serves off the list'));
  show(command.command('show').description('show a task'));
  revoke(command.command('revoke').description('revoke a task'));
  retry(command.command('retry').description('start a failed or revoked task again, with new retries'));
}
