import { startLaptop } from './laptop.ts';
import { stopSignal, unlessStopped } from './stop-signal.ts';
import { openWatched } from './tracing.ts';
import { readWatched, type WatchOption } from './watch-option.ts';

/** Runs `hapax up`: everything on this machine, until it is told to stop. */
export async function runUp(options: WatchOption, environment: NodeJS.ProcessEnv): Promise<void> {
  const { settings, watchTasks } = readWatched(environment, 'up', options);
  const stopping = stopSignal();
  const { log, tracing } = await openWatched(settings, 'up');
  const say = (line: string) => console.log(`hapax: ${line}`);
  const starting = startLaptop(settings, { log, report: say, tracing, watchTasks });
  const laptop = await unlessStopped(starting, stopping, { say, clean: async () => tracing?.close() });
  if (laptop.simulatorUrl) {
    say('SIMULATED GITHUB: no credential is set, so builds go to a simulation on this machine');
    say('  for the real one set GITHUB_TOKEN and GITHUB_REPO (docs/connect-github.md)');
  }
  say(`API      ${laptop.url}   docs ${laptop.url}/docs`);
  if (laptop.flowerUrl) say(`Flower   ${laptop.flowerUrl}`);
  say(`Temporal ${laptop.temporalAddress}${laptop.uiUrl ? `   Web UI ${laptop.uiUrl}` : ''}`);
  say('ready; Ctrl-C stops it');
  const broken = await Promise.race([stopping, laptop.failed]);
  say('stopping ...');
  await laptop.close();
  await tracing?.close();
  say('stopped');
  if (broken instanceof Error) throw broken;
}
