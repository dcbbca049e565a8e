import type { Command } from 'commander';
import { define as create } from './keys/create.ts';
import { define as list } from './keys/list.ts';
import { define as revoke } from './keys/revoke.ts';

export function define(command: Command): void {
  create(command.command('create').description('create a key, and print it once'));
  list(command.command('list').description('list the keys that are not revoked'));
  revoke(command.command('revoke').description('revoke a key'));
}
