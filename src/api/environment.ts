import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { Logger } from 'pino';
import type { Principal } from '../commands/keys/principal.ts';

/** The variables that the API sets for each request. */
export interface ApiEnvironment {
  Bindings: {
    /** Aborted when the server closes. */
    closing?: AbortSignal;
  };
  Variables: {
    requestId: string;
    /** The sender of the request, as the record names it: the name of the API key, or `local` if the API needs no key. */
    caller: string;
    /** The sender of the request, with its rights. May be missing on paths that are open to all. */
    principal: Principal;
    log: Logger;
  };
}

export type ApiContext = Context<ApiEnvironment>;
export type Api = OpenAPIHono<ApiEnvironment>;

/** Returns the signal that ends a request that waits: its client is gone, or the server closes. */
export function endOf(c: ApiContext): AbortSignal {
  const { signal } = c.req.raw;
  return c.env?.closing ? AbortSignal.any([signal, c.env.closing]) : signal;
}
