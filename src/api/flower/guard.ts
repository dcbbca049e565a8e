import type { Context, Next } from 'hono';
import { foreignHeader, hostNameOf, isLocalHost } from '../../contracts/loopback.ts';
import type { Settings } from '../../contracts/settings.ts';
import { secretOwners } from '../../domain/secret-owners.ts';
import type { ApiEnvironment } from '../environment.ts';
import { headersOf } from '../guard.ts';
import { FlowerError } from './response.ts';

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
  const { FLOWER_BASIC_AUTH: users = new Map<string, string>(), API_KEYS: keys = new Map<string, string>() } = access;
  const userOf = secretOwners([...users].map(([name, password]) => [name, `${name}:${password}`]));
  const keyOwnerOf = secretOwners(keys);
  const open = access.FLOWER_UNAUTHENTICATED_API && users.size === 0;
  return async (c: Context<ApiEnvironment>, next: Next) => {
    if (open) for (const [name, value] of Object.entries(CORS)) c.header(name, value);
    c.set('caller', open ? 'flower' : callerOf(c));
    await next();
  };

  function callerOf(c: Context): string {
    const header = c.req.header('authorization') ?? '';
    if (users.size > 0) {
      if (c.req.method === 'OPTIONS') return 'flower';
      const given = /^Basic +(\S+)$/i.exec(header)?.[1];
      const user = given && userOf(Buffer.from(given, 'base64').toString('utf8'));
      if (!user) throw new FlowerError(401);
      if (c.req.method === 'POST') refuseOtherSites(c);
      return user;
    }
    if (keys.size > 0) {
      const given = /^Bearer +(\S+)$/i.exec(header)?.[1];
      const owner = given && keyOwnerOf(given);
      if (!owner) throw new FlowerError(401, NEEDS_ENVIRONMENT);
      return owner;
    }
    refuseOtherNames(c, access);
    refuseOtherSites(c);
    return 'local';
  }
}

/** Where nothing else guards what Flower shows to all, keeps out pages whose names resolve to this machine. */
export function flowerNameGuard(access: FlowerAccess) {
  const { FLOWER_BASIC_AUTH: users, API_KEYS: keys, FLOWER_UNAUTHENTICATED_API: open } = access;
  return async (c: Context<ApiEnvironment>, next: Next) => {
    if (!users?.size && !keys?.size && !open) refuseOtherNames(c, access);
    await next();
  };
}

function refuseOtherNames(c: Context, access: FlowerAccess): void {
  if (!isLocalHost(hostNameOf(headersOf(c)), access.TRUSTED_HOSTS)) throw new FlowerError(401, NEEDS_ENVIRONMENT);
}

/** Refuses whatever changes something. */
export function refuseWhereReadOnly(access: FlowerAccess): void {
  if (access.FLOWER_READ_ONLY) throw new FlowerError(403, 'Read only mode is enabled');
}

function refuseOtherSites(c: Context): void {
  const header = foreignHeader(headersOf(c));
  if (header === 'sec-fetch-site') throw new FlowerError(403, 'Cross-site request forbidden');
  if (header === 'origin') throw new FlowerError(403, 'Cross-origin request forbidden');
}
