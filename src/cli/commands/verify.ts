import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import type { EventView, RecordedEvent } from '../../contracts/builds/event.ts';
import { chainFault } from '../../domain/record/hash.ts';
import { runsWith } from '../client/command.ts';
import { EXIT, misuse } from '../failure.ts';
import { paint, print, printJson } from '../output/screen.ts';

interface Options {
  head?: string;
  file?: string;
}

export function define(command: Command): void {
  command
    .argument('<build>', 'id of the build, or task: and the id of a task')
    .option('--head <hash>', 'a hash that you kept: one of its events must have it')
    .option(
      '--file <events>',
      'check the events in this file, as --json of logs or the API gave them; no server is asked',
    );
  runsWith<Options>(command, async ({ api, json, options: { head, file } }, id = '') => {
    const { stream, path } = streamOf(id);
    const views = file === undefined ? await api.json<EventView[]>(`${path}/events`) : eventsIn(file);
    const events = views.map((view) => recordedOf(view, stream));
    const fault = faultOf(events, head);
    const proof = { stream, valid: fault === undefined, length: events.length, head: events.at(-1)?.hash ?? null };
    if (json) printJson({ ...proof, ...(fault ? { fault } : {}) });
    else if (fault) print(`${stream}: ${paint('not valid', 'bad')}: event ${fault.seq} ${fault.message}`);
    else print(`${stream}: ${paint('valid', 'good')}, ${proof.length} events, head ${proof.head}`);
    return fault ? EXIT.failed : EXIT.success;
  });
}

function streamOf(id: string): { stream: string; path: string } {
  if (/^[1-9]\d{0,15}$/.test(id)) return { stream: `build:${id}`, path: `/builds/${id}` };
  const [, task] = /^task:(.+)$/s.exec(id) ?? [];
  if (task === undefined) throw misuse(`"${id}" names no build`, 'use its id, or task: and the id of a task');
  return { stream: id, path: `/tasks/${encodeURIComponent(task)}` };
}

function eventsIn(file: string): EventView[] {
  try {
    const read = JSON.parse(readFileSync(file, 'utf8')) as EventView[] | { events: EventView[] };
    const events = Array.isArray(read) ? read : read.events;
    if (Array.isArray(events)) return events;
  } catch (error) {
    throw misuse(`${file} cannot be read`, (error as Error).message);
  }
  throw misuse(`${file} holds no events`, 'use what hapax logs --json printed');
}

/** Returns an event in the form in which it was hashed. */
function recordedOf(view: EventView, stream: string): RecordedEvent {
  const { id: position, event_type: type, timestamp: occurred_at, ...same } = view;
  const { from_status = null, to_status = null, event_data: data = {}, ...rest } = same;
  return { ...rest, position, stream, type, from_status, to_status, data, occurred_at };
}

/** Returns what is wrong. It recomputes everything here and does not rely on the server. */
function faultOf(events: RecordedEvent[], head: string | undefined): { seq: number; message: string } | undefined {
  if (events.length === 0) return { seq: 1, message: 'is missing' };
  const broken = chainFault(events);
  if (broken) return { seq: broken.seq, message: broken.fault };
  if (head === undefined || events.some(({ hash }) => hash === head)) return undefined;
  return { seq: events.length, message: `is the last, and none has the hash ${head}: the chain was written again` };
}
