import type { Command } from 'commander';
import type { TriggerBody } from '../../contracts/builds/build.ts';
import { durationMs, positive, runsWith } from '../client/command.ts';
import { sendOnce } from '../client/send-once.ts';
import { misuse } from '../failure.ts';
import { print, printJson } from '../output/screen.ts';
import { watchBuild } from '../watch-build.ts';

interface Options {
  config?: string;
  ref?: string;
  imageType?: string;
  fedoraVersion?: string;
  input?: Record<string, string>;
  priority?: number;
  callbackUrl?: string;
  idempotencyKey?: string;
  new?: boolean;
  watch?: boolean;
  timeout?: number;
}

interface Triggered {
  id: number;
  status: string;
  message: string;
}

export function define(command: Command): void {
  command
    .option('-c, --config <name>', 'name or id of the build configuration (default: 1)')
    .option('-r, --ref <ref>', "branch or tag (default: the configuration's)")
    .option('-f, --input <name=value>', 'input of the workflow; repeat it for more', addInput)
    .option('--image-type <type>', 'the field image_type')
    .option('--fedora-version <version>', 'the field fedora_version')
    .option('--priority <1-5>', '1 is first', positive)
    .option('--callback-url <url>', 'is notified when the build ends')
    .option('--idempotency-key <key>', 'a key of your own: the same key gets the same build')
    .option('--new', 'a new build, even if an earlier command got no response')
    .option('-w, --watch', 'watch the build until it ends')
    .option('--timeout <time>', 'stop watching after this time, such as 30m', durationMs);
  runsWith<Options>(command, async ({ api, json, options }) => {
    const body = bodyOf(options);
    const sent = await sendOnce<Triggered>(api, '/builds/trigger', { what: 'build', body: () => body, ...options });
    const answer = { ...sent.json, replayed: sent.replayed, url: api.href(`/builds/${sent.json.id}`) };
    const { watch, timeout: timeoutMs } = options;
    if (json) printJson(watch ? { kind: 'trigger', ...answer } : answer);
    else if (!watch)
      print(`build ${answer.id}: ${answer.status}  ${answer.url}`, `watch it with: hapax watch ${answer.id}`);
    if (watch) return watchBuild(api, answer.id, { json, timeoutMs });
  });
}

function bodyOf({ config, ref, imageType, fedoraVersion, input, priority, callbackUrl }: Options): TriggerBody {
  return {
    ...(config === undefined ? {} : /^\d+$/.test(config) ? { config_id: Number(config) } : { config }),
    ...(ref === undefined ? {} : { ref }),
    ...(imageType === undefined ? {} : { image_type: imageType }),
    ...(fedoraVersion === undefined ? {} : { fedora_version: fedoraVersion }),
    // Sorted, so that the same inputs make the same request in whatever order they were typed.
    ...(input === undefined
      ? {}
      : { inputs: Object.fromEntries(Object.entries(input).sort(([a], [b]) => (a < b ? -1 : 1))) }),
    ...(priority === undefined ? {} : { priority }),
    ...(callbackUrl === undefined ? {} : { callback_url: callbackUrl }),
  };
}

function addInput(text: string, before: Record<string, string> = {}): Record<string, string> {
  const [, name, value] = /^([^=]+)=(.*)$/s.exec(text) ?? [];
  if (name === undefined || value === undefined) throw misuse(`"${text}" is no input`, 'write it as name=value');
  return { ...before, [name]: value };
}
