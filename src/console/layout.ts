import { html } from 'hono/html';
import packageJson from '../../package.json' with { type: 'json' };
import { type Flash, takeFlash } from './flash.ts';
import { NAVIGATION, type Place } from './navigation.ts';
import { fieldsOf, hidden } from './parts/action.ts';
import { icon } from './parts/icon.ts';
import { notice } from './parts/notice.ts';
import type { ConsoleContext, Html, Theme, View } from './view.ts';

export interface Page {
  title: string;
  /** Path of its entry in the navigation; left out for none. */
  place?: string;
  /** Shown beside the title: buttons, a badge. */
  actions?: unknown;
  content: unknown;
  /**
   * The topics of the page ({@link Topic}), and the position of the log before the page was read. When a topic changes, the page is
   * replaced. Left out: the page is never refreshed automatically.
   */
  live?: { topics: readonly string[]; since: number };
  /** Loads uPlot, for pages with charts. */
  charts?: boolean;
}

/** Settings of htmx. What people unfolded stays unfolded when a page is refreshed. */
const HTMX_CONFIG = JSON.stringify({
  includeIndicatorCSS: false,
  history: false,
  morphIgnore: ['data-htmx-powered', 'open'],
  noSwap: [204, 304, '4xx', '5xx'],
});

/** Responds with a page or, for a refresh, with the part to replace. */
export function page(
  c: ConsoleContext,
  content: Page,
  status: 200 | 400 | 401 | 403 | 404 | 409 | 422 | 429 | 500 | 503 = 200,
) {
  c.header('Vary', 'HX-Request, Cookie');
  const flash = takeFlash(c);
  const { view } = c.var;
  const body = main(view, content, flash);
  if (c.req.header('hx-request')) return c.html(html`<title>${titleOf(content)}</title>${body}`, status);
  return c.html(frame(view, content, body), status);
}

function titleOf({ title }: Page): string {
  return `${title} · Hapax`;
}

function main(view: View, { title, actions, content, live }: Page, flash: Flash | undefined): Html {
  const refresh = live ? html` hx-get="${view.here}" hx-trigger="changed from:#live" hx-swap="outerMorph"` : '';
  // It stays until the next page: a refresh would remove it before anybody has read it.
  const told = flash
    ? notice(flash.tone, html`${flash.text}${flash.link ? html` <a href="${flash.link}">Show it</a>` : ''}`)
    : '';
  return html`<main id="content" tabindex="-1"${refresh}>
<header class="title"><h1>${title}</h1><div class="actions">${actions ?? ''}</div></header>
<div id="said" hx-morph-skip-children>${told}</div>
${content}
</main>`;
}

function frame(view: View, content: Page, body: Html): Html {
  const { base, here, assets, theme } = view;
  const script = (name: Parameters<typeof assets.link>[0]) => html`<script defer src="${assets.link(name)}"></script>`;
  return html`<!doctype html>
<html lang="en"${theme === 'auto' ? '' : html` data-theme="${theme}"`}>
<head>
<meta charset="utf-8">
<title>${titleOf(content)}</title>
<base href="${base}/">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="${theme === 'auto' ? 'light dark' : theme}">
<meta name="htmx-config" content="${HTMX_CONFIG}">
<link rel="icon" href="${assets.link('icon.svg')}" type="image/svg+xml">
${content.charts ? html`<link rel="stylesheet" href="${assets.link('uplot.css')}">` : ''}
<link rel="stylesheet" href="${assets.link('console.css')}">
${script('console.js')}${script('htmx.js')}${content.charts ? html`${script('uplot.js')}${script('charts.js')}` : ''}
</head>
<body data-base="${base}">
<a class="skip" href="${here}#content">Skip to the content</a>
<header class="side">
<div class="brand"><a href="${base}">${icon('build')}<span>Hapax</span></a>${liveButton(content)}</div>
<details class="menu" open><summary>Menu</summary>
<nav aria-label="Pages">${NAVIGATION.map(
    ({ title, places }) =>
      html`<div class="group">${title ? html`<h2>${title}</h2>` : ''}<ul>${places.filter(({ right }) => !right || view.has(right)).map((place) => placeLink(view, place, content.place))}</ul></div>`,
  )}</nav>
<div class="foot">
${CHANGES.some(view.may) ? '' : html`<p class="read-only">${icon('pause')}Read-only: nothing can be changed here.</p>`}
${themeSwitch(view)}
${view.signedIn ? html`<form method="post" action="sign-out" class="who"><span>Signed in as <strong>${view.caller}</strong></span><button type="submit" class="quiet">Sign out</button></form>` : ''}
<p class="links"><button type="button" class="quiet js" data-help>Keys<kbd>?</kbd></button>${view.origin ? html`<a href="/docs">API</a>` : ''}<span class="version">${packageJson.version}</span></p>
</div>
</details>
</header>
${body}
${helpDialog()}
<dialog id="confirm" aria-labelledby="confirm-text"><form method="dialog"><p id="confirm-text"></p><div class="buttons"><button value="no" class="quiet">Leave it</button><button value="yes" class="main" autofocus>Yes, do it</button></div></form></dialog>
</body>
</html>`;
}

function placeLink({ base }: View, { path, label, icon: shape }: Place, current: string | undefined): Html {
  return html`<li><a href="${path === '' ? base : path}"${path === current ? html` aria-current="page"` : ''}>${icon(shape)}${label}</a></li>`;
}

/** Returns the button that says whether the page is live, and pauses it. */
function liveButton({ live }: Page): Html {
  if (!live) return html``;
  const of = encodeURIComponent(live.topics.join(','));
  return html`<div id="live" class="js" data-topics="${live.topics.join(',')}" hx-sse:connect="changes?of=${of}&amp;since=${live.since}" hx-trigger="load, connect" hx-swap="none"><button type="button" class="live" data-live aria-pressed="false" title="Pause or resume the refreshing of this page">${icon('live')}<span>Live</span></button></div>`;
}

/** The rights to change something on a page. */
const CHANGES = ['trigger', 'operate', 'configure'] as const;

const THEME_LABELS: Readonly<Record<Theme, string>> = { auto: 'As the system', light: 'Light', dark: 'Dark' };

function themeSwitch({ theme, here }: View): Html {
  const names = Object.keys(THEME_LABELS) as Theme[];
  return html`<form method="post" action="theme" class="themes" data-themes>${hidden({ back: here })}${names.map((name) => html`<button type="submit" name="theme" value="${name}" title="${THEME_LABELS[name]}" aria-label="Colours: ${THEME_LABELS[name]}" aria-pressed="${String(name === theme)}">${icon(name)}</button>`)}</form>`;
}

const KEYS = [
  ['/', 'Go to the search field'],
  ['j', 'Next row'],
  ['k', 'Row before'],
  ['Enter', 'Open the row'],
  ['x', 'Select the row'],
  ['r', 'Retry'],
  ['c', 'Cancel'],
  ['p', 'Pause or resume live'],
  ['?', 'This help'],
] as const;

function helpDialog(): Html {
  return html`<dialog id="help" aria-labelledby="help-title"><form method="dialog"><h2 id="help-title">Keys</h2><dl class="keys">${KEYS.map(([key, does]) => html`<div><dt><kbd>${key}</kbd></dt><dd>${does}</dd></div>`)}</dl><div class="buttons"><button class="main" autofocus>Close</button></div></form></dialog>`;
}

/**
 * Does what a form asks for if somebody is sure. If no script has asked, a page asks, and sends the same form once more with `sure`.
 * @param question undefined if there is nothing to ask.
 */
export async function confirmed(
  c: ConsoleContext,
  { question, label }: { question: string | undefined; label: string },
  act: () => Promise<Response>,
): Promise<Response> {
  const { sure, ...fields } = await fieldsOf(c);
  if (sure || question === undefined) return act();
  const { here } = c.var.view;
  return page(c, {
    title: label,
    content: html`<section class="card narrow"><p>${question}</p><form method="post" action="${here}" class="buttons">${hidden({ ...fields, sure: 'yes' })}<button type="submit" class="main">Yes, ${label.toLowerCase()}</button></form><p class="hint">To leave it as it is, go back.</p></section>`,
  });
}
