import { html } from 'hono/html';
import { Refusal } from '../../commands/refusal.ts';
import { PROBLEMS, type ProblemCode } from '../../contracts/problem.ts';
import type { Access } from '../access.ts';
import { ownPath, seeOther } from '../flash.ts';
import { page } from '../layout.ts';
import { fieldsOf, hidden } from '../parts/action.ts';
import { notice } from '../parts/notice.ts';
import { type Console, type ConsoleContext, type Html, linkTo } from '../view.ts';

/** Refusals of a sign-in that another key can solve. */
const WRONG = new Set<ProblemCode>(['unauthorized', 'forbidden', 'rate_limited']);

/** Adds the routes for signing in with a key, and for signing out. */
export function signIn(console: Console, access: Access): void {
  console.post('/sign-in', async (c) => {
    const { key = '', back = '' } = await fieldsOf(c);
    try {
      await access.signIn(c, c.var.view.base, key.trim());
    } catch (error) {
      if (!(error instanceof Refusal) || !WRONG.has(error.code)) throw error;
      c.var.log.warn({ code: error.code }, 'a sign-in to the console was refused');
      return signInPage(c, access, back, wrong(error), PROBLEMS[error.code].status as 401);
    }
    return seeOther(c, ownPath(back));
  });
  console.post('/sign-out', async (c) => {
    await access.signOut(c, c.var.view.base);
    return seeOther(c, '');
  });
}

/** Asks people to sign in. @param back the page to go to afterwards. @param said why it asks again. */
export function signInPage(
  c: ConsoleContext,
  { people }: Pick<Access, 'people'>,
  back: string,
  said?: Html,
  status: 401 | 403 | 429 = 401,
) {
  // A link in a chat or a mail arrives without the cookie (SameSite=Strict). If this page reloads itself, the browser sends the cookie.
  if (!said && c.req.method === 'GET' && c.req.header('sec-fetch-site') === 'cross-site') {
    return c.html(
      html`<!doctype html><html lang="en"><head><meta charset="utf-8"><meta http-equiv="refresh" content="0"><title>Hapax</title></head><body><a href="">Go on</a></body></html>`,
    );
  }
  const byKey = html`<form method="post" action="sign-in" class="stack">${hidden({ back })}<label class="field"><span>API key</span><input type="password" name="key" required autocomplete="current-password"${people ? '' : html` autofocus`} spellcheck="false" maxlength="1000"></label><button type="submit" class="${people ? '' : 'main'}">Sign in${people ? ' with a key' : ''}</button></form>
<p class="hint">The key is one that was created with the right read, or a SECRET of API_KEYS. This browser stays signed in for seven days, for the console alone.</p>`;
  const signOutUrl = people?.signOutUrl();
  const byProvider = html`<p class="buttons"><a class="button main" href="${linkTo('sign-in/start', { back })}">Sign in with your account</a></p>
<p class="hint">This browser stays signed in for eight hours.${signOutUrl ? html` <a href="${signOutUrl}">Use another account</a>` : ''}</p>
<details><summary>Sign in with a key</summary>${byKey}</details>`;
  const content = html`<section class="card narrow">${said ?? ''}${people ? byProvider : byKey}</section>`;
  return page(c, { title: 'Sign in', content }, status);
}

function wrong({ code, detail }: Refusal): Html {
  if (code === 'forbidden') return notice('bad', 'This key does not open the console.', detail);
  if (code === 'rate_limited') return notice('bad', 'Too many wrong keys came from your address.', detail);
  const hint = 'Of a NAME=SECRET pair in API_KEYS, only the SECRET is the key.';
  return notice('bad', 'This is not one of the keys.', `${detail?.split(';')[0]}. ${hint}`);
}
