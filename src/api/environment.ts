import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Context } from 'hono';
import type { Logger } from 'pino';
import type { Principal } from '../commands/keys/principal.ts';

/** What every request carries through the API. */
export interface ApiEnvironment {
  Variables: {
    requestId: string;
    /** Who asks, in the record: the name of the API key, or `local` where the API is open. */
    caller: string;
    /** Who asks, and what they may do. Not set on paths that are open to all. */
    principal: Principal;
    log: Logger;
  };
}

export type ApiContext = Context<ApiEnvironment>;
export type Api = OpenAPIHono<ApiEnvironment>;
