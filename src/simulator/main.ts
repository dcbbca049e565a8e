import { once } from 'node:events';
import { DIALECTS } from './dialects/kind.ts';

/** The options of `hapax simulate-github`, as they were written. */
interface Options {
  dialect?: string;
  port?: string;
  data?: string;
  queued?: string;
  running?: string;
  webhookUrl?: string;
  webhookSecret?: string;
}

/** Runs the simulated GitHub until SIGINT or SIGTERM, for `hapax simulate-github`. */
export async function simulateGitHub(options: Options): Promise<void> {
  const { dialect: asked = 'github', port = '0', data, queued, running, webhookUrl, webhookSecret = '' } = options;
  const stop = Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]);
  // Loaded late, so that listing the commands does not load a web server.
  const { startGitHubSimulator } = await import('./github.ts');
  const dialect = DIALECTS.find((one) => one === asked);
  if (!dialect) throw misused(`--dialect is one of ${DIALECTS.join(', ')}, not "${asked}"`);
  const queuedMs = wholeNumber('--queued', queued);
  const runningMs = wholeNumber('--running', running);
  const starting = startGitHubSimulator({
    dialect,
    port: wholeNumber('--port', port),
    dataFile: data,
    settings: {
      ...(queuedMs !== undefined && { queued_for_ms: queuedMs }),
      ...(runningMs !== undefined && { running_for_ms: runningMs }),
      ...(webhookUrl !== undefined && { webhook: { url: webhookUrl, secret: webhookSecret } }),
    },
  });
  const simulator = await starting.catch((error: NodeJS.ErrnoException) => {
    throw error.code === 'EADDRINUSE' ? misused(`port ${port} is in use: choose another --port`) : error;
  });
  console.log(`simulated ${dialect === 'github' ? 'GitHub' : dialect} at ${simulator.apiUrl}`);
  await stop;
  await simulator.close();
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
