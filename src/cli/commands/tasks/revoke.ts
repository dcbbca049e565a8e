import type { Command } from 'commander';
import { operatesTasks } from '../../many-tasks.ts';

export function define(command: Command): void {
  operatesTasks(command, { verb: 'cancel', asks: 'revokes', done: 'revoked' });
}
