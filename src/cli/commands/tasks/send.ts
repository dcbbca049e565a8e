import type { Command } from 'commander';
import { durationMs, later, positive, runsWith } from '../../client/command.ts';
import { sendOnce } from '../../client/send-once.ts';
import { misuse } from '../../failure.ts';
import { print, printJson } from '../../output/screen.ts';
import { waitForTask } from '../../wait-task.ts';

interface Options {
  args?: unknown[];
  kwarg?: Record<string, unknown>;
  id?: string;
  queue?: string;
  priority?: number;
  eta?: (given: Date) => string;
  expires?: (given: Date) => string;
  callbackUrl?: string;
  idempotencyKey?: string;
  new?: boolean;
  wait?: boolean;
  timeout?: number;
}

export function define(command: Command): void {
  command
    .argument('<name>', 'name of the task, such as ingest_youtube')
    .option(
      '-k, --kwarg <name=value>',
      'named argument, a text; name:=JSON for another value; repeat it for more',
      addArgument,
    )
    .option('--args <json>', 'positional arguments, a JSON array', readArguments)
    .option('--id <id>', 'an id of your own: the same id gets the same task')
    .option('--queue <queue>', "default: the task's")
    .option('--priority <0-9>', '9 is first', (text) => (text === '0' ? 0 : positive(text)))
    .option('--eta <time>', 'do not start it before this time: ISO 8601, or 2h (from now)', later)
    .option('--expires <time>', 'revoke it if it has not started by this time', later)
    .option('--callback-url <url>', 'is notified when the task ends')
    .option('--idempotency-key <key>', 'a key of your own: the same key gets the same task')
    .option('--new', 'a new task, even if an earlier command got no response')
    .option('-w, --wait', 'wait for its end, and print its result')
    .option('--timeout <time>', 'stop waiting after this time, such as 30m', durationMs);
  runsWith<Options>(command, async ({ api, json, options }, name = '') => {
    const { args, kwarg: kwargs, id: task_id, queue, priority, eta, expires, callbackUrl: callback_url } = options;
    const body = (given: Date) => ({
      ...{ name, args, kwargs, task_id, queue, priority, callback_url },
      ...{ eta: eta?.(given), expires: expires?.(given) },
    });
    const sent = await sendOnce<{ task_id: string; status: string }>(api, '/tasks', { what: 'task', body, ...options });
    const answer = { ...sent.json, replayed: sent.replayed };
    const { wait, timeout: timeoutMs } = options;
    if (wait) return waitForTask(api, answer.task_id, { json, timeoutMs });
    if (json) printJson(answer);
    else print(`task ${answer.task_id}: ${answer.status}`, `wait for it with: hapax tasks wait ${answer.task_id}`);
    return undefined;
  });
}

function readArguments(text: string): unknown[] {
  const read = parse(text);
  if (!Array.isArray(read)) throw misuse('--args is no JSON array', `write it as '["a", 1]'`);
  return read;
}

function addArgument(text: string, before: Record<string, unknown> = {}): Record<string, unknown> {
  const [, name, colon, value = ''] = /^([^=:]+)(:?)=(.*)$/s.exec(text) ?? [];
  if (name === undefined) throw misuse(`"${text}" is no argument`, 'write it as name=value, or name:=JSON');
  if (!colon) return { ...before, [name]: value };
  const read = parse(value);
  if (read === undefined) throw misuse(`${name} is no JSON`, 'write it as name:=JSON, or name=value for a text');
  return { ...before, [name]: read };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
