import { deleteCookie, getCookie, setCookie } from 'hono/cookie';
import { z } from 'zod';
import type { ConsoleContext } from './view.ts';

const FLASH = 'hapax_flash';
const flash = z.object({
  tone: z.enum(['good', 'bad']),
  text: z.string().max(1_000),
  link: z.string().max(300).optional(),
});
/** The result of the last action, which the next page shows once. */
export type Flash = z.infer<typeof flash>;

/** Redirects to a page after an action. The page then shows the result. @param to relative to the base of the console. */
export function seeOther(c: ConsoleContext, to: string, said?: Flash): Response {
  const { base } = c.var.view;
  if (said) {
    const text = Buffer.from(JSON.stringify({ ...said, text: said.text.slice(0, 1_000) })).toString('base64url');
    setCookie(c, FLASH, text, { path: base, httpOnly: true, sameSite: 'Strict', maxAge: 60 });
  }
  return c.redirect(`${base}/${to}`, 303);
}

/** Reads the result of the last action, only once. A refresh of a part of a page does not read it. */
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

/** Returns the path if it belongs to the console, and otherwise that of the overview. */
export function ownPath(back: string): string {
  const [path = ''] = back.split('?', 1);
  return /^[a-z][\w./:@%+~-]*(\?[^\s#]*)?$/i.test(back) && !/\.\.|\/\/|%2e/i.test(path) ? back : '';
}
