import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { EventView } from '../contracts/builds/event.ts';
import { readSettings } from '../contracts/settings.ts';
import { type Laptop, startLaptop } from './laptop.ts';
import { createLog } from './log.ts';
import { stopSignal, unlessStopped } from './stop-signal.ts';

/** Runs `hapax demo`: one build through the simulated GitHub, on parts of its own that are deleted afterwards. */
export async function runDemo(environment: NodeJS.ProcessEnv): Promise<void> {
  console.log('hapax demo: one build through a SIMULATED GitHub on this machine; nothing leaves it');
  const stopping = stopSignal();
  const home = await mkdtemp(join(tmpdir(), 'hapax-demo-'));
  const settings = readSettings({
    HAPAX_HOME: home,
    PORT: '0',
    // The usual ports are left free for others.
    TEMPORAL_PORT: '0',
    TEMPORAL_UI_PORT: '0',
    LOG_LEVEL: environment.LOG_LEVEL ?? 'error',
    GITHUB_POLL_INTERVAL: '250ms',
  });
  const clean = () => rm(home, { recursive: true, force: true, maxRetries: 5 });
  const say = (line: string) => console.log(`  ${line}`);
  try {
    const starting = startLaptop(settings, { log: createLog(settings.LOG_LEVEL, 'demo'), report: say });
    const laptop = await unlessStopped(starting, stopping, { say, clean });
    try {
      const shown = await Promise.race([showBuild(laptop), stopping, laptop.failed]);
      if (shown instanceof Error) throw shown;
      if (shown !== undefined) console.log('\nstopped');
    } finally {
      await laptop.close();
    }
  } finally {
    await clean();
  }
}

const REQUEST = { config_id: 1, ref: 'main', image_type: 'fedora-sway-atomic', fedora_version: '43' };

async function showBuild({ url }: Laptop): Promise<undefined> {
  console.log(
    `\n$ curl -X POST ${url}/builds/trigger -H 'Content-Type: application/json' -d '${JSON.stringify(REQUEST)}'`,
  );
  const build = await trigger(url);
  console.log(JSON.stringify(build));
  console.log('\nthe same request again:');
  console.log(JSON.stringify(await trigger(url)));
  console.log(`\n$ curl -N ${url}/builds/${build.id}/events -H 'Accept: text/event-stream'`);
  const startedAt = Date.now();
  for await (const event of liveEvents(`${url}/builds/${build.id}/events`)) {
    const { from_status, to_status, event_data = {} } = event;
    const change = to_status ? [from_status, to_status].filter(Boolean).join(' -> ') : '';
    const detail = ['workflow_run_id', 'run_status', 'conclusion'].flatMap((name) =>
      name in event_data ? [`${name}=${event_data[name]}`] : [],
    );
    const at = `+${((Date.now() - startedAt) / 1_000).toFixed(1)}s`.padStart(6);
    console.log(`${at}  ${event.event_type.padEnd(18)} ${[change, ...detail].filter(Boolean).join('  ')}`);
  }
  const ended = (await (await fetch(`${url}/builds/${build.id}`)).json()) as { status: string; events: EventView[] };
  console.log(
    `\nbuild ${build.id}: ${ended.status}; ${ended.events.length} events, the last with hash ${ended.events.at(-1)?.hash.slice(0, 16)}...`,
  );
  if (ended.status !== 'success') throw new Error(`the build ended with ${ended.status}`);
}

async function trigger(url: string): Promise<{ id: number; status: string; message: string }> {
  const response = await fetch(`${url}/builds/trigger`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(REQUEST),
  });
  if (!response.ok) throw new Error(`the trigger was answered with ${response.status}: ${await response.text()}`);
  return (await response.json()) as { id: number; status: string; message: string };
}

async function* liveEvents(url: string): AsyncGenerator<EventView> {
  const response = await fetch(url, { headers: { accept: 'text/event-stream' } });
  if (!response.ok || response.body === null) throw new Error(`the event stream was answered with ${response.status}`);
  let text = '';
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    const blocks = text.split('\n\n');
    text = blocks.pop() ?? '';
    for (const block of blocks) {
      const data = /^data: (.*)$/m.exec(block)?.[1];
      if (data) yield JSON.parse(data) as EventView;
    }
  }
}
