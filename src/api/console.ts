import type { Gate } from '../commands/keys/gate.ts';
import type { PeopleProvider } from '../commands/keys/people.ts';
import { type ConsoleDependencies, createConsole, isConsolePath } from '../console/app.ts';
import { hostNameOf, isLocalHost } from '../contracts/loopback.ts';
import type { Settings } from '../contracts/settings.ts';

/** Path of the console beside the API. */
export const CONSOLE_PATH = '/console';

/** Serves requests, as servers and apps of Hono do. */
interface Fetch {
  fetch(request: Request, env?: unknown): Response | Promise<Response>;
}

/** Settings that say who may use the console, and for what. */
type ConsoleSettings = Pick<Settings, 'TRUSTED_HOSTS' | 'CONSOLE_READ_ONLY' | 'FLOWER_READ_ONLY' | 'FLOWER_URL_PREFIX'>;

/** The console as it is served beside the API. */
export function consoleOf(
  deps: ConsoleDependencies,
  { gate, people }: { gate: Gate; people: PeopleProvider | undefined },
  settings: ConsoleSettings,
): Fetch {
  return createConsole(
    deps,
    { ...accessOf(gate, settings), people },
    { base: CONSOLE_PATH, readOnly: settings.CONSOLE_READ_ONLY },
  );
}

/**
 * The console as it is served beside the routes of Flower, below their prefix: where they refuse every change, it does too. The
 * users of FLOWER_BASIC_AUTH are users of Flower's routes only.
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
  const console = createConsole(deps, accessOf(gate, settings), { base, readOnly });
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

/** Pages of Flower's own, which people have bookmarked, and ours in their place. */
const PAGES_OF_FLOWER: Readonly<Record<string, string>> = {
  '/dashboard': '',
  '/workers': 'queues',
  '/broker': 'queues',
  '/tasks': 'tasks',
};

/** Our page in place of one of Flower's; undefined for all else. */
function pageOfFlower(path: string): string | undefined {
  const [, task] = /^\/task\/([^/]+)$/.exec(path) ?? [];
  if (task !== undefined) return `tasks/${task}`;
  return Object.hasOwn(PAGES_OF_FLOWER, path) ? PAGES_OF_FLOWER[path] : undefined;
}

/** Where no keys guard the console, names that resolve to this machine must not reach it. */
function mayBeAsked({ headers }: Request, gate: Gate, { TRUSTED_HOSTS }: ConsoleSettings): boolean {
  return (
    gate.needsKey ||
    isLocalHost(
      hostNameOf((name) => headers.get(name) ?? undefined),
      TRUSTED_HOSTS,
    )
  );
}

function accessOf(gate: Gate, { TRUSTED_HOSTS }: ConsoleSettings) {
  return { gate, trustedHosts: TRUSTED_HOSTS };
}
