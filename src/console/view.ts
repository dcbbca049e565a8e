import type { Context, Hono } from 'hono';
import type { html } from 'hono/html';
import type { Logger } from 'pino';
import type { Principal } from '../commands/keys/principal.ts';
import type { Right } from '../contracts/keys/key-event.ts';
import type { Assets } from './assets.ts';

/** Escaped HTML, as the tag `html` creates it. */
export type Html = ReturnType<typeof html>;

export const THEMES = ['auto', 'light', 'dark'] as const;
export type Theme = (typeof THEMES)[number];

/** Facts about a request that its page needs. */
export interface View {
  /** Path of the console, without a slash at its end. All links of pages are relative to it. */
  base: string;
  /** Path and query of this page, relative to the base, as a link to it. */
  here: string;
  /** Scheme, host and port of the API, for commands that people copy; undefined on FLOWER_PORT, where it is not. */
  origin: string | undefined;
  /** Name of the visitor on pages: of a key or a person, or `local` if the API needs no key. */
  caller: string;
  /** Whether the visitor can sign out. */
  signedIn: boolean;
  /** Says whether the visitor has a right, even if the console is read-only. */
  has(this: void, right: Right): boolean;
  /** Says whether the visitor has a right and the console accepts changes. Otherwise, buttons and forms are hidden and requests refused. */
  may(this: void, right: Right): boolean;
  theme: Theme;
  /** IANA name of the browser's time zone; UTC until it is known. */
  timeZone: string;
  /** Milliseconds since 1970. */
  now: number;
  assets: Assets;
}

export interface ConsoleEnvironment {
  Bindings: {
    /** Set by a server that has already assigned the request an id. */
    requestId?: string;
    incoming?: { socket: { remoteAddress?: string | undefined } };
    /** Aborted when the server closes. */
    closing?: AbortSignal;
  };
  Variables: { view: View; requestId: string; caller: string; principal: Principal; log: Logger };
}

export type Console = Hono<ConsoleEnvironment>;
export type ConsoleContext = Context<ConsoleEnvironment>;

/** Returns a link with a query. It leaves out undefined and empty values. */
export function linkTo(path: string, query: Record<string, string | number | boolean | undefined | null> = {}): string {
  const search = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined && value !== null && value !== '') search.set(name, String(value));
  }
  const text = search.toString();
  return text === '' ? path : `${path}?${text}`;
}
