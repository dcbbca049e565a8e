import type { Command } from 'commander';
import { runsWith } from '../client/command.ts';
import { operate } from '../operate-build.ts';

export function define(command: Command): void {
  command.argument('<build>', 'id of the build');
  runsWith<object>(command, (context, id = '') => operate(context, id, 'cancel', {}));
}
