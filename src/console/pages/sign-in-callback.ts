import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { html } from 'hono/html';
import { z } from 'zod';
import { Refusal } from '../../commands/refusal.ts';
import type { Access } from '../access.ts';
import { ownPath, seeOther } from '../flash.ts';
import { notice } from '../parts/notice.ts';
import type { Console, ConsoleContext, Html } from '../view.ts';
import { signInPage } from './sign-in.ts';

/** Prefix of the cookies that a browser keeps while it is at the provider. Each tab that signs in has one. */
const BEGUN = 'hapax_sign_in_';
const BEGUN_SECONDS = 600;
/** The most such cookies. Older ones are deleted, because the headers of a request would grow too large. */
const MOST_BEGUN = 5;

const begunCookie = z.object({ state: z.string(), nonce: z.string(), verifier: z.string(), back: z.string() });

/** Adds the pages for signing in at an OpenID provider. */
export function signInWithProvider(console: Console, access: Access): void {
  const { people } = access;
  if (!people) return;
  const cookieOf = (c: ConsoleContext) => ({
    ...{ path: `${c.var.view.base}/sign-in`, httpOnly: true, secure: access.isSecure(c) },
    // The provider's page sends the browser back, and the browser would not send a `Strict` cookie then.
    sameSite: 'Lax' as const,
  });
  console.get('/sign-in/start', async (c) => {
    const back = ownPath(c.req.query('back') ?? '');
    const started = await people.begin();
    if ('away' in started) throw providerAway(started.away);
    const { url, begun } = started;
    const others = Object.keys(getCookie(c)).filter((name) => name.startsWith(BEGUN));
    for (const name of others.slice(0, 1 - MOST_BEGUN)) deleteCookie(c, name, cookieOf(c));
    const kept = Buffer.from(JSON.stringify({ ...begun, back: back.slice(0, 1_000) })).toString('base64url');
    setCookie(c, nameOf(begun.state), kept, { ...cookieOf(c), maxAge: BEGUN_SECONDS });
    return c.redirect(url, 302);
  });
  console.get('/sign-in/callback', async (c) => {
    const query = new URL(c.req.url).searchParams;
    const name = nameOf(query.get('state') ?? '');
    const begun = readBegun(getCookie(c, name));
    if (!begun || begun.state !== query.get('state')) return signInPage(c, access, '', NOT_BEGUN);
    deleteCookie(c, name, cookieOf(c));
    const finished = await people.finish(query, begun);
    if ('away' in finished) throw providerAway(finished.away);
    if ('fault' in finished) {
      c.var.log.warn({ fault: finished.fault }, 'a sign-in by the provider was refused');
      return signInPage(c, access, begun.back, notice('bad', 'You were not signed in.', finished.fault));
    }
    try {
      await access.signInPerson(c, c.var.view.base, finished.claims);
    } catch (error) {
      if (!(error instanceof Refusal) || error.code !== 'forbidden') throw error;
      return signInPage(c, access, begun.back, notice('bad', 'You have no access.', error.detail), 403);
    }
    return seeOther(c, ownPath(begun.back));
  });
}

const NOT_BEGUN: Html = notice(
  'bad',
  'This sign-in is not known here.',
  html`It took longer than ten minutes, or was begun in another browser. Sign in again.`,
);

function nameOf(state: string): string {
  return BEGUN + state.replaceAll(/[^\w-]/g, '').slice(0, 12);
}

function readBegun(cookie: string | undefined) {
  if (cookie === undefined) return undefined;
  try {
    return begunCookie.parse(JSON.parse(Buffer.from(cookie, 'base64url').toString()));
  } catch {
    return undefined;
  }
}

function providerAway(why: string): Refusal {
  const detail = 'the OpenID provider of SIGN_IN_ISSUER does not answer as it should; try again, or sign in with a key';
  return new Refusal('issuer_unavailable', { detail, retryAfterSeconds: 5, cause: new Error(why) });
}
