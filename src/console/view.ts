import type { Context, Hono } from 'hono';
import type { html } from 'hono/html';
import type { Logger } from 'pino';
import type { Principal } from '../commands/keys/principal.ts';
import type { Right } from '../contracts/keys/key-event.ts';
import type { Assets } from './assets.ts';

/** Escaped HTML, as the tag `html` makes it. */
export type Html = ReturnType<typeof html>;

export const THEMES = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

/** What a page needs to know of the request that it answers. */
export interface View {
  /** Path of the console, without a slash at its end. All links of pages are relative to it. */
  base: string;
  /** Path and query of this page, relative to the base, as a link to it. */
  here: string;
  /** Scheme, host and port that the browser uses, for commands that people copy. */
  origin: string;
  /** Who looks, as pages call them: the name of a key or of a person, or `local` where the API is open. */
  caller: string;
  /** Whether there is a way to sign out. */
  signedIn: boolean;
  /** Whether a right is there, even where the console takes no changes. */
  has(this: void, right: Right): boolean;
  /** Whether a right is there and the console takes changes. Buttons and forms are shown only then, and refused otherwise. */
  may(this: void, right: Right): boolean;
  theme: Theme;
  /** IANA name of the browser's time zone, UTC until it is known. */
  timeZone: string;
  /** Milliseconds since 1970. */
  now: number;
  assets: Assets;
}

export interface ConsoleEnvironment {
  /** Given by a server that has named the request already. */
  Bindings: { requestId?: string; incoming?: { socket: { remoteAddress?: string | undefined } } };
  Variables: { view: View; requestId: string; caller: string; principal: Principal; log: Logger };
}

export type Console = Hono<ConsoleEnvironment>;
export type ConsoleContext = Context<ConsoleEnvironment>;

/** A link with a query; what is undefined or empty is left out. */
export function linkTo(path: string, query: Record<string, string | number | boolean | undefined | null> = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== '') search.set(name, String(value));
  }
  const text = search.toString();
  return text === '' ? path : `${path}?${text}`;
}
