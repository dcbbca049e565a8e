import { html } from 'hono/html';
import type { Access } from '../access.ts';
import { ownPath, seeOther } from '../flash.ts';
import { page } from '../layout.ts';
import { fieldsOf, hidden } from '../parts/action.ts';
import { notice } from '../parts/notice.ts';
import type { Console, ConsoleContext } from '../view.ts';

/** Signing in with a key of API_KEYS, and out. */
export function signIn(console: Console, access: Access): void {
  console.post('/sign-in', async (c) => {
    const { key = '', back = '' } = await fieldsOf(c);
    if (!access.signIn(c, c.var.view.base, key.trim())) {
      c.var.log.warn('a sign-in to the console was refused');
      return signInPage(c, back, true);
    }
    return seeOther(c, ownPath(back));
  });
  console.post('/sign-out', (c) => {
    access.signOut(c, c.var.view.base);
    return seeOther(c, '');
  });
}

/** Asks for a key. @param back the page to go to then. */
export function signInPage(c: ConsoleContext, back: string, wrong = false) {
  // A link in a chat or a mail comes without the cookie (SameSite=Strict). Asked for by the console itself, it comes with it.
  if (!wrong && c.req.method === 'GET' && c.req.header('sec-fetch-site') === 'cross-site') {
    return c.html(
      html`<!doctype html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="0"><title>Hapax</title></head><body><a href="">Go on</a></body></html>`,
    );
  }
  return page(
    c,
    {
      title: 'Sign in',
      content: html`<section class="card narrow">${wrong ? notice('bad', 'This is not one of the keys.', 'Check that you copied the SECRET of a NAME=SECRET pair in API_KEYS, without the name.') : ''}
<form method="post" action="sign-in" class="stack">${hidden({ back })}<label class="field"><span>API key</span><input type="password" name="key" required autocomplete="current-password" autofocus spellcheck="false" maxlength="1000"></label><button type="submit" class="main">Sign in</button></form>
<p class="hint">The key is a SECRET of API_KEYS. This browser stays signed in for seven days, for the console alone.</p></section>`,
    },
    401,
  );
}
