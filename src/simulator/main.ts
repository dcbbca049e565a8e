import { once } from 'node:events';
import { parseArgs } from 'node:util';

/**
 * `hapax simulate-github [--port N] [--data FILE] [--queued MS] [--running MS] [--webhook-url U] [--webhook-secret S]`:
 * runs the simulated GitHub until SIGINT or SIGTERM.
 *
 * @param argv the arguments after the name of the command
 */
export async function simulateGitHub(argv: string[]): Promise<void> {
  const { values } = parseArgs({
    args: argv,
    options: {
      port: { type: 'string', default: '0' },
      data: { type: 'string' },
      queued: { type: 'string' },
      running: { type: 'string' },
      'webhook-url': { type: 'string' },
      'webhook-secret': { type: 'string', default: '' },
    },
  });
  const stop = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  // Loaded late: whoever lists the commands does not pay for a web server.
  const { startGitHubSimulator } = await import('./github.ts');
  const simulator = await startGitHubSimulator({
    port: wholeNumber('--port', values.port),
    dataFile: values.data,
    queuedForMs: wholeNumber('--queued', values.queued),
    runningForMs: wholeNumber('--running', values.running),
    webhook:
      values['webhook-url'] === undefined
        ? undefined
        : { url: values['webhook-url'], secret: values['webhook-secret'] },
  });
  console.log(`simulated GitHub at ${simulator.url}`);
  await stop;
  await simulator.close();
}

function wholeNumber(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d+$/.test(text)) throw new Error(`${option} takes a whole number, not "${text}"`);
  return Number(text);
}
