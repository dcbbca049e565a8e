import { html } from 'hono/html';
import { Refusal } from '../../commands/refusal.ts';
import { PROBLEMS, type ProblemCode } from '../../contracts/problem.ts';
import type { Access } from '../access.ts';
import { ownPath, seeOther } from '../flash.ts';
import { page } from '../layout.ts';
import { fieldsOf, hidden } from '../parts/action.ts';
import { notice } from '../parts/notice.ts';
import type { Console, ConsoleContext, Html } from '../view.ts';

/** Refusals of a sign-in that the person can mend by another key. */
const WRONG = new Set<ProblemCode>(['unauthorized', 'forbidden', 'rate_limited']);

/** Signing in with a key, and out. */
export function signIn(console: Console, access: Access): void {
  console.post('/sign-in', async (c) => {
    const { key = '', back = '' } = await fieldsOf(c);
    try {
      await access.signIn(c, c.var.view.base, key.trim());
    } catch (error) {
      if (!(error instanceof Refusal) || !WRONG.has(error.code)) throw error;
      c.var.log.warn({ code: error.code }, 'a sign-in to the console was refused');
      return signInPage(c, back, error);
    }
    return seeOther(c, ownPath(back));
  });
  console.post('/sign-out', async (c) => {
    await access.signOut(c, c.var.view.base);
    return seeOther(c, '');
  });
}

/** Asks for a key. @param back the page to go to then. */
export function signInPage(c: ConsoleContext, back: string, refused?: Refusal) {
  // A link in a chat or a mail comes without the cookie (SameSite=Strict). Asked for by the console itself, it comes with it.
  if (!refused && c.req.method === 'GET' && c.req.header('sec-fetch-site') === 'cross-site') {
    return c.html(
      html`<!doctype html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="0"><title>Hapax</title></head><body><a href="">Go on</a></body></html>`,
    );
  }
  return page(
    c,
    {
      title: 'Sign in',
      content: html`<section class="card narrow">${refused ? wrong(refused) : ''}
<form method="post" action="sign-in" class="stack">${hidden({ back })}<label class="field"><span>API key</span><input type="password" name="key" required autocomplete="current-password" autofocus spellcheck="false" maxlength="1000"></label><button type="submit" class="main">Sign in</button></form>
<p class="hint">The key is one that was created with the right read, or a SECRET of API_KEYS. This browser stays signed in for seven days, for the console alone.</p></section>`,
    },
    refused ? (PROBLEMS[refused.code].status as 401) : 401,
  );
}

function wrong({ code, detail }: Refusal): Html {
  if (code === 'forbidden') return notice('bad', 'This key does not open the console.', detail);
  if (code === 'rate_limited') return notice('bad', 'Too many wrong keys came from your address.', detail);
  const hint = 'Of a NAME=SECRET pair in API_KEYS, only the SECRET is the key.';
  return notice('bad', 'This is not one of the keys.', `${detail?.split(';')[0]}. ${hint}`);
}
