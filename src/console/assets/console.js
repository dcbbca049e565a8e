// What pages do beyond forms and links. Every page works without this file.
const root = document.documentElement;
root.classList.add('scripted');

const base = document.body.dataset.base;
const keep = (name, value) => {
  // biome-ignore lint/suspicious/noDocumentCookie: the Cookie Store API needs TLS.
  document.cookie = `${name}=${value}; Path=${base}; Max-Age=31536000; SameSite=Lax`;
};
const cookie = (name) => new RegExp(`(?:^|; )${name}=([^;]*)`).exec(document.cookie)?.[1];
const one = (selector, within = document) => within.querySelector(selector);
const all = (selector, within = document) => [...within.querySelectorAll(selector)];

// The server writes times in the zone of the browser; the first page came before it knew.
const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
if (zone && cookie('hapax_tz') !== zone) {
  keep('hapax_tz', zone);
  if (zone !== 'UTC' && cookie('hapax_tz') === zone) localizeTimes();
}

function localizeTimes() {
  const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit' });
  const day = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' });
  for (const element of all('time[datetime]')) {
    const at = new Date(element.dateTime);
    const today = at.toDateString() === new Date().toDateString();
    element.textContent = `${today ? '' : `${day.format(at)}, `}${clock.format(at)}`;
  }
}

// On a narrow screen the menu is shut until it is asked for.
const menu = one('.menu');
if (menu && matchMedia('(max-width: 760px)').matches) menu.open = false;

// Colours, without loading the page again.
one('[data-themes]')?.addEventListener('submit', (event) => {
  const theme = event.submitter?.value;
  if (!theme) return;
  event.preventDefault();
  keep('hapax_theme', theme);
  if (theme === 'auto') delete root.dataset.theme;
  else root.dataset.theme = theme;
  for (const button of all('[data-themes] button')) button.setAttribute('aria-pressed', String(button.value === theme));
  document.dispatchEvent(new Event('hapax:theme'));
});

// Live: the server says that something changed, and htmx asks for the page again. A page that is being worked with is held.
const live = one('#live');
const liveButton = one('[data-live]');
const RETRY_MS = 1_000;
// The server says something at least every 15 s.
const SILENCE_MS = 45_000;
const RELOADED = 'hapax:reloaded';
const RELOAD_EVERY_MS = 60_000;
// What fails now: the stream of changes, refreshes, or both.
const away = new Set();
let paused = sessionStorage.getItem('hapax:paused') === 'true';
let missed = false;
// Whether the server refuses this page for good.
let ended = false;

const isHeld = () =>
  one('#content [name="id"]:checked') !== null ||
  one('dialog[open]') !== null ||
  one('#content form[data-dirty]') !== null ||
  (getSelection()?.isCollapsed === false && one('#content')?.contains(getSelection().anchorNode));

function showLive() {
  if (!liveButton) return;
  const [state, words] = away.size
    ? ['away', 'Reconnecting']
    : paused
      ? ['paused', missed ? 'Paused, has news' : 'Paused']
      : missed && isHeld()
        ? ['held', 'Waits for you']
        : ['live', 'Live'];
  liveButton.dataset.state = state;
  liveButton.setAttribute('aria-pressed', String(paused));
  one('span', liveButton).textContent = words;
}

function catchUp() {
  if (!missed || paused || isHeld()) return;
  missed = false;
  if (ended) {
    ended = false;
    sessionStorage.setItem(RELOADED, String(Date.now()));
    location.reload();
    return;
  }
  showLive();
  live.dispatchEvent(new Event('changed', { bubbles: true }));
}

live?.addEventListener(
  'changed',
  (event) => {
    if (!paused && !isHeld()) return;
    event.stopImmediatePropagation();
    missed = true;
    showLive();
  },
  { capture: true },
);
liveButton?.addEventListener('click', () => {
  paused = !paused;
  sessionStorage.setItem('hapax:paused', String(paused));
  showLive();
  catchUp();
});
if (live) {
  setInterval(catchUp, RETRY_MS);
  const failed = (what, status) => {
    // Signed out, or what the page shows is gone: a new page says which. If that one is refused as well, it is not loaded for ever.
    ended =
      status >= 400 &&
      status < 500 &&
      status !== 429 &&
      Date.now() - Number(sessionStorage.getItem(RELOADED)) > RELOAD_EVERY_MS;
    if (!ended) away.add(what);
    // A refresh that failed is still owed.
    if (ended || what === 'refresh') missed = true;
    showLive();
  };
  const works = (what) => {
    away.delete(what);
    showLive();
  };
  for (const failure of ['htmx:error', 'htmx:response:error']) {
    document.addEventListener(failure, ({ detail: { ctx } }) => {
      if (ctx?.sourceElement?.id === 'content') failed('refresh', ctx.response?.status);
      if (ctx?.sourceElement !== live) return;
      failed('stream', ctx.response?.status);
      // The extension repeats only what was connected before: the first time is ours.
      if (!ended) setTimeout(() => live.dispatchEvent(new Event('connect')), RETRY_MS);
    });
  }
  document.addEventListener('htmx:sse:error', ({ detail }) => failed('stream', detail.status));
  document.addEventListener('htmx:sse:after:connection', () => works('stream'));
  let stream;
  let heardAt = Date.now();
  for (const sign of ['htmx:sse:after:connection', 'htmx:sse:before:message']) {
    document.addEventListener(sign, ({ detail }) => {
      stream = detail.connection;
      heardAt = Date.now();
    });
  }
  // The extension opens another stream when the page is shown again.
  document.addEventListener('visibilitychange', () => {
    heardAt = Date.now();
  });
  setInterval(() => {
    if (document.hidden || Date.now() - heardAt < SILENCE_MS) return;
    failed('stream');
    // Then the extension connects again.
    stream?.reader?.cancel();
  }, RETRY_MS);
  // htmx also says this of a refused refresh, which replaces nothing.
  document.addEventListener('htmx:before:swap', (event) => {
    const { ctx } = event.detail;
    if (ctx.sourceElement?.id !== 'content' || ctx.response.status >= 400) return;
    works('refresh');
    if (!paused && !isHeld()) return;
    // It was on its way when somebody began to work with the page.
    event.preventDefault();
    missed = true;
    showLive();
  });
  showLive();
}

// Filters: a choice applies at once, and what is empty stays out of the URL.
document.addEventListener('change', (event) => {
  const form = event.target.closest?.('[data-filters]');
  if (form && event.target.matches('select, [type="checkbox"]')) form.requestSubmit();
});
document.addEventListener('submit', (event) => {
  if (!event.target.matches('[data-filters]')) return;
  for (const field of event.target.elements) if (field.name && field.value === '') field.disabled = true;
});
addEventListener('pageshow', () => {
  for (const field of all('[data-filters] :disabled')) field.disabled = false;
});

// The time that a list is shown at: said while the slider moves, and gone to where it is let go.
const words = new Intl.DateTimeFormat('en-GB', { dateStyle: 'medium', timeStyle: 'short' });
document.addEventListener('input', (event) => {
  const slider = event.target.closest?.('[data-slider]');
  if (!slider) return;
  const { value, max } = event.target;
  const age = slider.dataset.span * ((max - value) / max) ** 3;
  one('output', slider).textContent = age === 0 ? 'now' : words.format(Date.now() - age);
});
document.addEventListener('change', (event) => event.target.closest?.('[data-slider]')?.requestSubmit());

// Asking before something is done.
document.addEventListener('submit', (event) => {
  const form = event.target;
  const question = event.submitter?.dataset.confirm ?? form.dataset.confirm;
  if (!question || form.elements.namedItem('sure')) return;
  event.preventDefault();
  const dialog = one('#confirm');
  one('#confirm-text').textContent = question;
  dialog.returnValue = 'no';
  dialog.addEventListener(
    'close',
    () => {
      if (dialog.returnValue !== 'yes') return;
      const sure = document.createElement('input');
      Object.assign(sure, { type: 'hidden', name: 'sure', value: 'yes' });
      form.append(sure);
      form.requestSubmit(event.submitter);
    },
    { once: true },
  );
  dialog.showModal();
});

// A second click must not do it twice. If no answer came, another try is possible after a while.
const ANSWER_MS = 10_000;
let sentAt = new WeakMap();
addEventListener('pageshow', () => {
  sentAt = new WeakMap();
});
document.addEventListener('submit', (event) => {
  const form = event.target;
  if (event.defaultPrevented || form.method !== 'post') return;
  if (Date.now() - sentAt.get(form) < ANSWER_MS) event.preventDefault();
  else sentAt.set(form, Date.now());
});

// What takes longer than a request goes on by itself.
one('form[data-goes-on]')?.requestSubmit();

// Selecting rows.
function showSelection() {
  const boxes = all('#content [name="id"]');
  const chosen = boxes.filter((box) => box.checked).length;
  const page = one('[data-select-page]');
  if (page) {
    page.checked = chosen > 0 && chosen === boxes.length;
    page.indeterminate = chosen > 0 && chosen < boxes.length;
  }
  for (const element of all('[data-chosen]')) element.textContent = String(chosen);
}
document.addEventListener('change', (event) => {
  if (event.target.matches('[data-select-page]')) {
    for (const box of all('#content [name="id"]')) box.checked = event.target.checked;
  }
  if (event.target.matches('[name="id"], [data-select-page]')) showSelection();
});

// Forms that somebody fills in are not replaced under their hands.
document.addEventListener('input', (event) => {
  event.target.closest?.('#content form[data-keep]')?.setAttribute('data-dirty', '');
});

// Copying.
document.addEventListener('click', async (event) => {
  const button = event.target.closest?.('[data-copy]');
  if (!button) return;
  await navigator.clipboard?.writeText(one(button.dataset.copy).textContent);
  const label = one('span', button);
  label.textContent = 'Copied';
  setTimeout(() => {
    label.textContent = 'Copy';
  }, 1_500);
});

// Keys.
const rowOf = (element) => element?.closest?.('[data-row]');
function step(by) {
  const rows = all('#content [data-row]');
  if (rows.length === 0) return;
  const at = rows.indexOf(rowOf(document.activeElement));
  const next = rows[at === -1 ? 0 : Math.min(Math.max(at + by, 0), rows.length - 1)];
  (one('td:not(.check) a, h2 a', next) ?? one('input', next))?.focus();
  next.scrollIntoView({ block: 'nearest' });
}
const press = (key) =>
  (one(`[data-key="${key}"]`, rowOf(document.activeElement) ?? undefined) ?? one(`[data-key="${key}"]`))?.click();

const DOES = {
  '/': () => one('[data-key="/"]')?.focus(),
  '?': () => one('#help').showModal(),
  j: () => step(1),
  k: () => step(-1),
  r: () => press('r'),
  c: () => press('c'),
  p: () => liveButton?.click(),
  x: () => one('[name="id"]', rowOf(document.activeElement) ?? undefined)?.click(),
};
document.addEventListener('keydown', (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || one('dialog[open]')) return;
  if (event.target.matches('textarea, select, [contenteditable], input:not([type="checkbox"], [type="radio"])')) {
    if (event.key === 'Escape') event.target.blur();
    return;
  }
  const does = Object.hasOwn(DOES, event.key) ? DOES[event.key] : undefined;
  if (!does) return;
  event.preventDefault();
  does();
});
one('[data-help]')?.addEventListener('click', () => DOES['?']());
