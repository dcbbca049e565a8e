import type { OpenAPIHono } from '@hono/zod-openapi';
import type { Logger } from 'pino';

/** What every request carries through the API. */
export interface ApiEnvironment {
  Variables: {
    requestId: string;
    /** Who asks: the name of the API key, or `local` where the API is open. */
    caller: string;
    log: Logger;
  };
}

export type Api = OpenAPIHono<ApiEnvironment>;
