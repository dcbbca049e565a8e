import { once } from 'node:events';
import { parseArgs } from 'node:util';
import { DIALECTS } from './dialects/kind.ts';

const USAGE = `hapax simulate-github [OPTION...]       runs the simulated GitHub until it is told to stop

  --dialect KIND       whose API it speaks: github, gitea or forgejo; left out: github
  --port N             of 127.0.0.1; left out: any that is free
  --data FILE          keeps its runs; left out: they are gone with it
  --queued MS          how long a run waits
  --running MS         how long a run takes
  --webhook-url URL    where it sends webhooks
  --webhook-secret S   signs them`;

const OPTIONS = {
  dialect: { type: 'string', default: 'github' },
  port: { type: 'string', default: '0' },
  data: { type: 'string' },
  queued: { type: 'string' },
  running: { type: 'string' },
  'webhook-url': { type: 'string' },
  'webhook-secret': { type: 'string', default: '' },
  help: { type: 'boolean', short: 'h' },
} as const;

/**
 * Runs the simulated GitHub until SIGINT or SIGTERM, for `hapax simulate-github`.
 *
 * @param argv the arguments after the name of the command
 */
export async function simulateGitHub(argv: string[]): Promise<void> {
  const values = readArguments(argv);
  if (values.help) return console.log(USAGE);
  const stop = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  // Loaded late, so that listing the commands does not load a web server.
  const { startGitHubSimulator } = await import('./github.ts');
  const dialect = DIALECTS.find((one) => one === values.dialect);
  if (!dialect) throw misused(`--dialect is one of ${DIALECTS.join(', ')}, not "${values.dialect}"`);
  const queued = wholeNumber('--queued', values.queued);
  const running = wholeNumber('--running', values.running);
  const url = values['webhook-url'];
  const starting = startGitHubSimulator({
    dialect,
    port: wholeNumber('--port', values.port),
    dataFile: values.data,
    settings: {
      ...(queued !== undefined && { queued_for_ms: queued }),
      ...(running !== undefined && { running_for_ms: running }),
      ...(url !== undefined && { webhook: { url, secret: values['webhook-secret'] } }),
    },
  });
  const simulator = await starting.catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'EADDRINUSE' ? misused(`port ${values.port} is in use: choose another --port`) : error;
  });
  console.log(`simulated ${dialect === 'github' ? 'GitHub' : dialect} at ${simulator.apiUrl}`);
  await stop;
  await simulator.close();
}

function readArguments(argv: string[]) {
  try {
    return parseArgs({ args: argv, options: OPTIONS }).values;
  } catch (error) {
    throw misused(`${(error as Error).message}\n\n${USAGE}`);
  }
}

/** Returns a fault that the user can correct. The command line shows it without a stack. */
function misused(message: string): Error {
  return Object.assign(new Error(message), { name: 'UserError' });
}

function wholeNumber(option: string, text: string | undefined): number | undefined {
  if (text === undefined) return undefined;
  if (!/^\d+$/.test(text)) throw misused(`${option} takes a whole number, not "${text}"`);
  return Number(text);
}
