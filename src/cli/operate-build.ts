import type { Command } from 'commander';
import type { BuildView } from '../contracts/builds/build.ts';
import { type Context, durationMs, positive } from './client/command.ts';
import type { Exit } from './failure.ts';
import { print, printJson } from './output/screen.ts';
import { watchBuild } from './watch-build.ts';

export interface OperateOptions {
  watch?: boolean;
  timeout?: number;
}

/** Adds the options that let a command watch the build afterwards. */
export function watchable(command: Command): Command {
  return command
    .option('-w, --watch', 'watch the build until it ends')
    .option('--timeout <time>', 'stop watching after this time, such as 30m', durationMs);
}

/** Asks Hapax to operate on a build. */
export async function operate(
  { api, json, options }: Context<OperateOptions>,
  build: string,
  verb: 'cancel' | 'retry' | 'adopt',
  body: object,
): Promise<Exit | undefined> {
  const id = positive(build);
  const { watch, timeout: timeoutMs } = options;
  const before = watch ? await api.json<BuildView>(`/builds/${id}`) : undefined;
  const answer = await api.json<{ id: number; status: string; message: string }>(`/builds/${id}/${verb}`, {
    method: 'POST',
    body,
  });
  if (json) printJson(watch ? { kind: verb, ...answer } : answer);
  else if (!watch) print(`build ${id}: ${answer.message.toLowerCase()}`);
  if (before) return watchBuild(api, id, { json, timeoutMs, afterSeq: before.events.at(-1)?.seq ?? 0 });
  return undefined;
}
