import type { Gate } from '../commands/keys/gate.ts';
import type { PeopleProvider } from '../commands/keys/people.ts';
import { type ConsoleDependencies, createConsole, isConsolePath } from '../console/app.ts';
import { hostFault } from '../contracts/loopback.ts';
import type { Settings } from '../contracts/settings.ts';

/** Path of the console beside the API. */
export const CONSOLE_PATH = '/console';

/** Serves requests, like servers and apps of Hono. */
interface Fetch {
  fetch(request: Request, env?: unknown): Response | Promise<Response>;
}

/** Settings for who may use the console, and for what. */
type ConsoleSettings = Pick<Settings, 'TRUSTED_HOSTS' | 'CONSOLE_READ_ONLY' | 'FLOWER_READ_ONLY' | 'FLOWER_URL_PREFIX'>;

/** Creates the console that is served beside the API. */
export function consoleOf(
  deps: ConsoleDependencies,
  { gate, people }: { gate: Gate; people: PeopleProvider | undefined },
  settings: ConsoleSettings,
): Fetch {
  return createConsole(
    deps,
    { ...accessOf(gate, settings), people },
    { base: CONSOLE_PATH, besideApi: true, readOnly: settings.CONSOLE_READ_ONLY },
  );
}

/**
 * Adds the console to the Flower API, below the same prefix. The console is read-only if the Flower API is. Users in FLOWER_BASIC_AUTH are
 * users of the Flower API only.
 */
export function flowerWithConsole(
  flower: Fetch,
  deps: ConsoleDependencies,
  gate: Gate,
  settings: ConsoleSettings,
): Fetch {
  const root = settings.FLOWER_URL_PREFIX === '' ? '' : `/${settings.FLOWER_URL_PREFIX}`;
  const base = `${root}${CONSOLE_PATH}`;
  const readOnly = settings.CONSOLE_READ_ONLY || settings.FLOWER_READ_ONLY;
  const console = createConsole(deps, accessOf(gate, settings), { base, besideApi: false, readOnly });
  return {
    fetch(request, env) {
      const { pathname } = new URL(request.url);
      if (isConsolePath(pathname, base)) return console.fetch(request, env as object);
      const isHome = pathname === root || pathname === `${root}/`;
      const page = isHome ? '' : pageOfFlower(pathname.slice(root.length));
      if (request.method === 'GET' && page !== undefined && mayBeAsked(request, gate, settings)) {
        return new Response(null, { status: 302, headers: { Location: page === '' ? base : `${base}/${page}` } });
      }
      return flower.fetch(request, env);
    },
  };
}

/** Flower's own pages, which people have bookmarked, and the pages of the console that replace them. */
const PAGES_OF_FLOWER: Readonly<Record<string, string>> = {
  '/dashboard': '',
  '/workers': 'queues',
  '/broker': 'queues',
  '/tasks': 'tasks',
};

/** Returns the console's page that replaces one of Flower's; undefined for other paths. */
function pageOfFlower(path: string): string | undefined {
  const [, task] = /^\/task\/([^/]+)$/.exec(path) ?? [];
  if (task !== undefined) return `tasks/${task}`;
  return Object.hasOwn(PAGES_OF_FLOWER, path) ? PAGES_OF_FLOWER[path] : undefined;
}

/** Says whether a request may reach the console. Without keys, a foreign name that resolves to this machine must not. */
function mayBeAsked({ headers }: Request, gate: Gate, { TRUSTED_HOSTS }: ConsoleSettings): boolean {
  return gate.needsKey || hostFault((name) => headers.get(name) ?? undefined, TRUSTED_HOSTS) === undefined;
}

function accessOf(gate: Gate, { TRUSTED_HOSTS }: ConsoleSettings) {
  return { gate, trustedHosts: TRUSTED_HOSTS };
}
