import type { Command } from 'commander';
import type { TriggerBody } from '../../contracts/builds/build.ts';
import type { Api } from '../client/api.ts';
import { durationMs, positive, runsWith } from '../client/command.ts';
import { keepKey } from '../client/kept-key.ts';
import { misuse } from '../failure.ts';
import { moment } from '../output/moments.ts';
import { note, print, printJson } from '../output/screen.ts';
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
    const answer = await trigger(api, bodyOf(options), options);
    const { watch, timeout: timeoutMs } = options;
    if (json) printJson(watch ? { kind: 'trigger', ...answer } : answer);
    else if (!watch)
      print(`build ${answer.id}: ${answer.status}  ${answer.url}`, `watch it with: hapax watch ${answer.id}`);
    if (watch) return watchBuild(api, answer.id, { json, timeoutMs });
  });
}

/** Sends a trigger whose key is on disk, and forgets the key when the response has come. */
async function trigger(api: Api, body: TriggerBody, { idempotencyKey, new: fresh = false }: Options) {
  const kept =
    idempotencyKey === undefined ? keepKey({ trigger: api.target.url, body }, process.env, { fresh }) : undefined;
  if (kept?.since) {
    note(
      `hapax: the same trigger of ${moment(kept.since.toISOString())} got no response; asking for its build (--new makes another)`,
    );
  }
  const { json, headers } = await api
    .answer<Triggered>('/builds/trigger', {
      method: 'POST',
      body,
      headers: { 'idempotency-key': idempotencyKey ?? kept!.key },
      repeatable: true,
    })
    .catch((error) => {
      // A refusal is a response: no build was made, and none will be.
      if (error.fault?.status < 500) kept?.drop();
      throw error;
    });
  kept?.drop();
  return { ...json, replayed: headers.get('idempotent-replayed') === 'true', url: api.href(`/builds/${json.id}`) };
}

function bodyOf({ config, ref, imageType, fedoraVersion, input, priority, callbackUrl }: Options): TriggerBody {
  return {
    ...(config === undefined ? {} : /^\d+$/.test(config) ? { config_id: Number(config) } : { config }),
    ...(ref === undefined ? {} : { ref }),
    ...(imageType === undefined ? {} : { image_type: imageType }),
    ...(fedoraVersion === undefined ? {} : { fedora_version: fedoraVersion }),
    // In order, so that the same inputs are the same request however they were typed.
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
