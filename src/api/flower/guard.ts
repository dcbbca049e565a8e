import { timingSafeEqual } from 'node:crypto';
import type { Context, Next } from 'hono';
import type { Settings } from '../../contracts/settings.ts';
import { isLoopback } from '../../contracts/settings.ts';
import { sha256 } from '../../domain/hash.ts';
import type { ApiEnvironment } from '../environment.ts';
import { FlowerError } from './answer.ts';

/** Who may use the routes of Flower, and for what. */
export type FlowerAccess = Pick<
  Settings,
  'API_KEYS' | 'TRUSTED_HOSTS' | 'FLOWER_BASIC_AUTH' | 'FLOWER_UNAUTHENTICATED_API' | 'FLOWER_READ_ONLY'
>;

const NEEDS_ENVIRONMENT =
  'FLOWER_UNAUTHENTICATED_API environment variable is required to enable API without authentication';

const CORS = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Allow-Headers': 'x-requested-with,access-control-allow-origin,authorization,content-type',
  'Access-Control-Allow-Methods': 'PUT, DELETE, OPTIONS, POST, GET, PATCH',
};

/**
 * Lets in as Flower does. With users, whoever bears a name and password; without, everybody where that is asked for; and
 * where neither is set, this machine alone, or who bears a key of the API. Web pages of other sites are kept out: these
 * routes take bodies of any type, for which browsers ask no leave.
 */
export function flowerGuard(access: FlowerAccess) {
  const users = [...(access.FLOWER_BASIC_AUTH ?? [])].map(([name, password]) => ({
    name,
    digest: digestOf(`${name}:${password}`),
  }));
  const keys = [...(access.API_KEYS ?? [])].map(([name, secret]) => ({ name, digest: digestOf(secret) }));
  const open = access.FLOWER_UNAUTHENTICATED_API && users.length === 0;
  return async (c: Context<ApiEnvironment>, next: Next) => {
    if (open) for (const [name, value] of Object.entries(CORS)) c.header(name, value);
    c.set('caller', open ? 'flower' : callerOf(c));
    await next();
  };

  function callerOf(c: Context): string {
    const header = c.req.header('authorization') ?? '';
    if (users.length > 0) {
      if (c.req.method === 'OPTIONS') return 'flower';
      const given = /^Basic +(\S+)$/i.exec(header)?.[1];
      const found = given && find(users, Buffer.from(given, 'base64').toString('utf8'));
      if (!found) throw new FlowerError(401);
      if (c.req.method === 'POST') refuseOtherSites(c);
      return found.name;
    }
    if (keys.length > 0) {
      const given = /^Bearer +(\S+)$/i.exec(header)?.[1];
      const found = given && find(keys, given);
      if (!found) throw new FlowerError(401, NEEDS_ENVIRONMENT);
      return found.name;
    }
    const host = (c.req.header('host') ?? '').replace(/:\d+$/, '');
    if (!isLoopback(host) && !access.TRUSTED_HOSTS.includes(host)) throw new FlowerError(401, NEEDS_ENVIRONMENT);
    refuseOtherSites(c);
    return 'local';
  }
}

/** Refuses whatever changes something. */
export function refuseWhereReadOnly(access: FlowerAccess): void {
  if (access.FLOWER_READ_ONLY) throw new FlowerError(403, 'Read only mode is enabled');
}

function refuseOtherSites(c: Context): void {
  const site = c.req.header('sec-fetch-site');
  if (site !== undefined && site !== 'same-origin' && site !== 'none') {
    throw new FlowerError(403, 'Cross-site request forbidden');
  }
  const origin = c.req.header('origin');
  if (origin !== undefined && URL.parse(origin)?.host !== c.req.header('host')) {
    throw new FlowerError(403, 'Cross-origin request forbidden');
  }
}

function digestOf(secret: string): Buffer {
  return Buffer.from(sha256(secret));
}

/** Digests have one length, and all are compared, so the time taken tells nothing. */
function find(known: ReadonlyArray<{ name: string; digest: Buffer }>, secret: string): { name: string } | undefined {
  const given = digestOf(secret);
  return known.filter(({ digest }) => timingSafeEqual(digest, given))[0];
}
