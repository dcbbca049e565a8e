import type { Command } from 'commander';
import { define as remove } from './schedules/delete.ts';
import { define as imports } from './schedules/import.ts';
import { define as list } from './schedules/list.ts';
import { define as next } from './schedules/next.ts';
import { defineState } from './schedules/pause.ts';
import { define as set } from './schedules/set.ts';
import { define as show } from './schedules/show.ts';
import { define as trigger } from './schedules/trigger.ts';

export function define(command: Command): void {
  list(command.command('list').description('list schedules'));
  show(command.command('show').description('show a schedule and what happened to it last'));
  set(command.command('set').description('create a schedule, or change it'));
  defineState(command.command('pause').description('pause a schedule until it is resumed'), 'pause');
  defineState(command.command('resume').description('resume a paused schedule'), 'resume');
  trigger(command.command('trigger').description('fire a schedule now'));
  remove(command.command('delete').description('delete a schedule; its builds and tasks go on'));
  next(command.command('next').description('list the next ten times of a schedule'));
  imports(command.command('import').description("make schedules from Celery's beat_schedule"));
}
