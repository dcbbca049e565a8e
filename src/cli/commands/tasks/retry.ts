import type { Command } from 'commander';
import { operatesTasks } from '../../many-tasks.ts';

export function define(command: Command): void {
  operatesTasks(command, { verb: 'retry', asks: 'starts again', done: 'queued again' });
}
