import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { z } from 'zod';
import type { ConsoleContext } from './view.ts';

const FLASH = 'hapax_flash';
const flash = z.object({
  tone: z.enum(['good', 'bad']),
  text: z.string().max(1_000),
  link: z.string().max(300).optional(),
});
/** What became of the action before, told on the next page and then forgotten. */
export type Flash = z.infer<typeof flash>;

/** Goes to a page after an action, which then says what became of it. @param to relative to the base of the console. */
export function seeOther(c: ConsoleContext, to: string, said?: Flash): Response {
  const { base } = c.var.view;
  if (said) {
    const text = Buffer.from(JSON.stringify({ ...said, text: said.text.slice(0, 1_000) })).toString('base64url');
    setCookie(c, FLASH, text, { path: base, httpOnly: true, sameSite: 'Strict', maxAge: 60 });
  }
  return c.redirect(`${base}/${to}`, 303);
}

/** Reads what the action before said. Only once, and not by a refresh of a part of a page. */
export function takeFlash(c: ConsoleContext): Flash | undefined {
  const text = getCookie(c, FLASH);
  if (text === undefined || c.req.header('hx-request')) return undefined;
  deleteCookie(c, FLASH, { path: c.var.view.base });
  try {
    return flash.parse(JSON.parse(Buffer.from(text, 'base64url').toString()));
  } catch {
    return undefined;
  }
}

/** A path of the console; the overview for anything else. */
export function ownPath(back: string): string {
  return /^[a-z][\w./-]*(\?[^\s#]*)?$/i.test(back) && !back.includes('..') && !back.includes('//') ? back : '';
}
