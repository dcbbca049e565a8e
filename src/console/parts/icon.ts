import { raw } from 'hono/html';
import type { Html } from '../view.ts';

/** Shapes on a grid of 16, drawn with the colour of the text. */
const SHAPES = {
  queued: '<circle cx="8" cy="8" r="5.5" stroke-dasharray="2.2 2.1"/>',
  running: '<circle cx="8" cy="8" r="5.5"/><path d="M8 4.8V8l2.3 1.6"/>',
  success: '<circle cx="8" cy="8" r="5.5"/><path d="m5.6 8.2 1.7 1.7 3.2-3.6"/>',
  failure: '<circle cx="8" cy="8" r="5.5"/><path d="m6 6 4 4m0-4-4 4"/>',
  cancelled: '<circle cx="8" cy="8" r="5.5"/><path d="m4.4 11.6 7.2-7.2"/>',
  attention: '<path d="M8 2.6 14 13H2z"/><path d="M8 6.4v3.2m0 1.6v.3"/>',
  waiting:
    '<path d="M5 2.5h6M5 13.5h6M5.6 2.5c0 3 4.8 4 4.8 5.5s-4.8 2.5-4.8 5.5m4.8-11c0 3-4.8 4-4.8 5.5s4.8 2.5 4.8 5.5"/>',
  overview: '<path d="M2.5 2.5h4.6v6H2.5zM8.9 2.5h4.6v3.3H8.9zM8.9 7.6h4.6v5.9H8.9zM2.5 10.3h4.6v3.2H2.5z"/>',
  build: '<path d="M8 1.9 13.5 5v6L8 14.1 2.5 11V5zM2.7 5.1 8 8l5.3-2.9M8 8v6"/>',
  task: '<path d="m2.5 4 1.2 1.2L6 2.9M2.5 9l1.2 1.2L6 7.9M8.3 4.2h5.2M8.3 9.2h5.2M2.9 13h10.6"/>',
  dead: '<path d="M2.5 9.5 4 3h8l1.5 6.5v3.7h-11zm0 0h3.2l.9 1.6h2.8l.9-1.6h3.2"/>',
  queue: '<path d="M2.5 3h11v2.8h-11zM2.5 6.6h11v2.8h-11zM2.5 10.2h11V13h-11z"/>',
  quota: '<path d="M2.5 12a5.8 5.8 0 1 1 11 0M8 10.5l2.6-3.7"/>',
  content: '<path d="M4 2.5h5.2L12 5.3v8.2H4zM9 2.5v3h3M6 8h4m-4 2.5h4"/>',
  search: '<circle cx="7" cy="7" r="4.3"/><path d="m10.2 10.2 3.3 3.3"/>',
  configuration:
    '<path d="M2.5 4.5h6m3 0h2m-11 7h2m3 0h6"/><circle cx="10" cy="4.5" r="1.5"/><circle cx="6" cy="11.5" r="1.5"/>',
  trigger: '<path d="M4.5 2.8v10.4L13 8z"/>',
  live: '<circle cx="8" cy="8" r="2.2" fill="currentColor"/><path d="M4.2 4.2a5.4 5.4 0 0 0 0 7.6m7.6 0a5.4 5.4 0 0 0 0-7.6"/>',
  pause: '<path d="M5.6 3.5v9m4.8-9v9"/>',
  external: '<path d="M6.5 3.5h-3v9h9v-3M9 2.9h4.1V7M13 3 7.6 8.4"/>',
  retry: '<path d="M13 8a5 5 0 1 1-1.5-3.6M13 2.4v2.9h-2.9"/>',
  key: '<circle cx="5.2" cy="10.8" r="2.7"/><path d="m7.2 8.8 6-6m-2.6 2.6 2 2"/>',
  copy: '<path d="M5.5 5.5v-3h8v8h-3m-8-5h8v8h-8z"/>',
  auto: '<circle cx="8" cy="8" r="5.5"/><path d="M8 2.5v11a5.5 5.5 0 0 0 0-11z" fill="currentColor"/>',
  light:
    '<circle cx="8" cy="8" r="2.7"/><path d="M8 1.6v1.5m0 9.8v1.5M1.6 8h1.5m9.8 0h1.5M3.5 3.5l1 1m7 7 1 1m0-9-1 1m-7 7-1 1"/>',
  dark: '<path d="M13 9.6A5.5 5.5 0 1 1 6.4 3 4.4 4.4 0 0 0 13 9.6z"/>',
} as const;
export type IconName = keyof typeof SHAPES;

const drawn = new Map<IconName, Html>();

/** Returns an icon. The text beside it says the same, so it is hidden from screen readers. */
export function icon(name: IconName): Html {
  let svg = drawn.get(name);
  if (!svg) {
    svg = raw(
      `<svg class="icon" viewBox="0 0 16 16" fill="none" stroke="currentColor" stroke-width="1.4" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true">${SHAPES[name]}</svg>`,
    );
    drawn.set(name, svg);
  }
  return svg;
}
