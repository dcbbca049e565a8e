import type { Context, MiddlewareHandler, Next } from 'hono';
import type { Gate } from '../../commands/keys/gate.ts';
import type { Principal } from '../../commands/keys/principal.ts';
import { Refusal } from '../../commands/refusal.ts';
import type { Right } from '../../contracts/keys/key-event.ts';
import { foreignHeader, hostFault } from '../../contracts/loopback.ts';
import type { Settings } from '../../contracts/settings.ts';
import { secretOwners } from '../../domain/secret-owners.ts';
import type { ApiEnvironment } from '../environment.ts';
import { addressOf, bearerOf, enter, headersOf, limitRate } from '../guard.ts';
import { FlowerError } from './response.ts';

/** Settings for who may use the Flower API, and for what. */
export type FlowerAccess = Pick<
  Settings,
  'TRUSTED_HOSTS' | 'FLOWER_BASIC_AUTH' | 'FLOWER_UNAUTHENTICATED_API' | 'FLOWER_READ_ONLY'
>;

const NEEDS_ENVIRONMENT =
  'FLOWER_UNAUTHENTICATED_API environment variable is required to enable API without authentication';

const CORS = {
  'Access-Control-Allow-Origin': '*',
  'Access-Control-Allow-Headers': 'x-requested-with,access-control-allow-origin,authorization,content-type',
  'Access-Control-Allow-Methods': 'PUT, DELETE, OPTIONS, POST, GET, PATCH',
};

/**
 * Admits requests as Flower does. If users are set, a request needs a name and password. Without users, everybody gets in if that is
 * configured. If neither is set, the request must come from this machine or have an API key. Web pages of other sites are refused: these
 * routes accept bodies of any type, which browsers send without asking first.
 */
export function flowerGuard(gate: Gate, access: FlowerAccess) {
  const { FLOWER_BASIC_AUTH: users = new Map<string, string>() } = access;
  const userOf = secretOwners([...users].map(([name, password]) => [name, `${name}:${password}`]));
  const open = access.FLOWER_UNAUTHENTICATED_API && users.size === 0;
  return async (c: Context<ApiEnvironment>, next: Next) => {
    if (open) for (const [name, value] of Object.entries(CORS)) c.header(name, value);
    const principal = open ? gate.local('flower') : await principalOf(c);
    enter(c, principal);
    limitRate(c, gate, principal);
    await next();
  };

  async function principalOf(c: Context): Promise<Principal> {
    if (users.size > 0) {
      if (c.req.method === 'OPTIONS') return gate.local('flower');
      const given = /^Basic +(\S+)$/i.exec(c.req.header('authorization') ?? '')?.[1];
      const user = given && userOf(Buffer.from(given, 'base64').toString('utf8'));
      if (!user) throw given ? wrongUser(c, given) : new FlowerError(401);
      if (c.req.method === 'POST') refuseOtherSites(c);
      return gate.local(user);
    }
    if (gate.needsKey) {
      const principal = await identified(c);
      principal.requireWhole("Flower's routes");
      return principal;
    }
    refuseOtherNames(c, access);
    refuseOtherSites(c);
    return gate.local();
  }

  function wrongUser(c: Context, given: string): Error {
    const refusal = gate.refusalOf(given, addressOf(c));
    return refusal.code === 'unauthorized' ? new FlowerError(401) : refusal;
  }

  async function identified(c: Context): Promise<Principal> {
    try {
      return await gate.identify(bearerOf(c), addressOf(c));
    } catch (error) {
      if (error instanceof Refusal && error.code === 'unauthorized') throw new FlowerError(401, NEEDS_ENVIRONMENT);
      throw error;
    }
  }
}

function refuseOtherNames(c: Context, access: FlowerAccess): void {
  if (hostFault(headersOf(c), access.TRUSTED_HOSTS)) throw new FlowerError(401, NEEDS_ENVIRONMENT);
}

/** Returns middleware that refuses callers without the right, for the definition of a route. */
export function needs(right: Right): MiddlewareHandler<ApiEnvironment> {
  return async (c, next) => {
    c.var.principal.require(right);
    await next();
  };
}

/** Refuses every change in read-only mode. */
export function refuseWhereReadOnly(access: FlowerAccess): void {
  if (access.FLOWER_READ_ONLY) throw new FlowerError(403, 'Read only mode is enabled');
}

function refuseOtherSites(c: Context): void {
  const header = foreignHeader(headersOf(c));
  if (header === 'sec-fetch-site') throw new FlowerError(403, 'Cross-site request forbidden');
  if (header === 'origin') throw new FlowerError(403, 'Cross-origin request forbidden');
}
