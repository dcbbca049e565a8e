import type { MiddlewareHandler } from 'hono';
import { Refusal } from '../commands/refusal.ts';
import type { ConsoleEnvironment } from './view.ts';

/**
 * Refuses changes that no page of the console itself sent. Browsers say with every POST where it comes from: in `Sec-Fetch-Site`, or over
 * plain HTTP, where they omit that header, in `Origin`. Programs use the API.
 */
export function refuseOtherSites(): MiddlewareHandler<ConsoleEnvironment> {
  return async (c, next) => {
    if (c.req.method !== 'GET' && c.req.method !== 'HEAD') {
      const site = c.req.header('sec-fetch-site');
      const own =
        site === undefined ? originHost(c.req.header('origin')) === c.req.header('host') : site === 'same-origin';
      if (!own)
        throw new Refusal('cross_site', {
          detail: 'this request does not come from a page of the console; programs use the API',
        });
    }
    await next();
  };
}

function originHost(origin: string | undefined): string {
  return URL.parse(origin ?? '')?.host ?? 'unknown';
}
