import { html } from 'hono/html';
import { findLogHead } from '../../store/record/stream-list-changed.ts';
import type { ConsoleDependencies } from '../app.ts';
import { page } from '../layout.ts';
import { badge } from '../parts/badge.ts';
import type { Console } from '../view.ts';

/** What a person looks at first. */
export function overview(console: Console, { db, health }: ConsoleDependencies): void {
  for (const path of ['/', '']) {
    console.get(path, async (c) => {
      const since = await findLogHead(db);
      const { status, dependencies } = health();
      const content = html`<section class="card"><h2>Health</h2><p>${badge(status)}</p><dl class="facts">${Object.entries(dependencies).map(([name, { status, detail }]) => html`<div><dt>${name}</dt><dd>${badge(status)} ${detail ?? ''}</dd></div>`)}</dl></section>`;
      return page(c, { title: 'Overview', place: '', content, live: { topics: ['build', 'task', 'tick'], since } });
    });
  }
}
