import { html } from 'hono/html';
import { compareShadow } from '../../commands/builds/compare-shadow.ts';
import { configurationIdParam } from '../../contracts/builds/configuration.ts';
import type { ShadowedBuildView, ShadowReport } from '../../contracts/builds/shadow.ts';
import { needs } from '../access.ts';
import type { ConsoleDependencies } from '../app.ts';
import { page } from '../layout.ts';
import { type Fact, facts } from '../parts/facts.ts';
import { outsideLink } from '../parts/outside-link.ts';
import { table } from '../parts/table.ts';
import { time } from '../parts/time.ts';
import { valid } from '../queries.ts';
import type { Console, Html, View } from '../view.ts';

/**
 * Adds the page that compares what Hapax would have dispatched for a configuration in the last day with the runs that another program
 * started.
 */
export function shadow(console: Console, deps: ConsoleDependencies): void {
  console.get('/configurations/:id{[0-9]+}/shadow', needs('operate'), async (c) => {
    const { id } = valid(configurationIdParam, c.req.param());
    const configuration = await deps.configurations.existing(id);
    c.var.principal.requireRepository(configuration.definition.repository);
    const report = await compareShadow(deps, configuration);
    return page(c, {
      title: `${configuration.name}: compared with the other program`,
      place: 'configurations',
      actions: html`<a class="button" href="configurations/${id}">Configuration</a>`,
      content: content(c.var.view, report),
    });
  });
}

function content(view: View, report: ShadowReport): Html {
  const counts: Fact[] = [
    ['Since', time(view, report.since)],
    ['Requests', report.triggered],
    ['Matched: Hapax would have started the same run', report.matched],
    ['Lost: the other program started no run', report.lost],
    ['Waiting for a run', report.waiting],
    ['Doubled: runs one too many', report.doubled],
    ['Unheard: runs that no trigger asked for', report.unheard],
  ];
  const none = html`<p class="hint">There are none.</p>`;
  return html`<section class="card"><h2>Compared</h2>${facts(counts)}</section>
<section class="card"><h2>Requests</h2>${report.builds.length === 0 ? none : requests(view, report.builds)}</section>
<section class="card"><h2>Runs that no trigger asked for</h2>${report.unheard_runs.length === 0 ? none : unheard(view, report.unheard_runs)}</section>`;
}

function requests(view: View, rows: readonly ShadowedBuildView[]): Html {
  return table({
    caption: 'Requests, and the runs that the other program started for them',
    idOf: ({ build_id }) => String(build_id),
    rows,
    columns: [
      { title: 'Build', kind: 'number', cell: ({ build_id }) => html`<a href="builds/${build_id}">${build_id}</a>` },
      { title: 'Outcome', cell: ({ outcome }) => outcome },
      { title: 'Ref', kind: 'wide', cell: ({ ref }) => html`<code>${ref}</code>` },
      { title: 'Hapax would dispatch', kind: 'tight', cell: (build) => time(view, build.would_dispatch_at) },
      { title: 'Run', kind: 'tight', cell: ({ run }) => (run ? runLink(run) : '') },
      { title: 'Later', kind: 'number', cell: ({ later_seconds: s }) => (s === null ? '' : `${s.toFixed(1)} s`) },
      { title: 'Doubled', cell: ({ doubled }) => doubled.map((run) => html`${runLink(run)} `) },
    ],
  });
}

function unheard(view: View, rows: ShadowReport['unheard_runs']): Html {
  return table<ShadowReport['unheard_runs'][number]>({
    caption: 'Runs that no trigger asked for',
    idOf: ({ workflow_run_id }) => `run-${workflow_run_id}`,
    rows,
    columns: [
      { title: 'Run', kind: 'tight', cell: runLink },
      { title: 'Ref', cell: ({ ref }) => html`<code>${ref ?? ''}</code>` },
      { title: 'Made', kind: 'tight', cell: ({ created_at }) => time(view, created_at) },
      { title: 'Title', kind: 'wide', cell: ({ title }) => title },
    ],
  });
}

function runLink({ run_url, workflow_run_id }: { run_url: string; workflow_run_id: number }): Html {
  return outsideLink(run_url, workflow_run_id);
}
