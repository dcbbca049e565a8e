import { html } from 'hono/html';
import { notFound } from '../../commands/refusal.ts';
import { buildAtQuery, buildIdParam } from '../../contracts/builds/build.ts';
import type { RecordedEvent } from '../../contracts/builds/event.ts';
import { phasesOf } from '../../domain/builds/build-phases.ts';
import { failedJobsIn } from '../../domain/builds/build-view.ts';
import { artifactsIn, provenanceOf, recordedRunIn } from '../../domain/builds/provenance.ts';
import { eventsUntil, foldEvents } from '../../domain/record/fold.ts';
import { listBuildsAhead } from '../../store/builds/build-list-ahead.ts';
import { BUILDS, buildStream } from '../../store/builds/build-stream.ts';
import { findLogEnd } from '../../store/record/log-end.ts';
import { findStream } from '../../store/record/stream-find.ts';
import { verifyStream } from '../../store/record/stream-verify.ts';
import type { ConsoleDependencies } from '../app.ts';
import { page } from '../layout.ts';
import { artifactsCard } from '../parts/artifacts.ts';
import { statusBadge } from '../parts/badge.ts';
import { buildEvent } from '../parts/build-event.ts';
import { buildFacts, inputsTable, proofCard } from '../parts/build-facts.ts';
import { attentionCard, buildActions, failureCard } from '../parts/build-operations.ts';
import { erasedNotice, notice } from '../parts/notice.ts';
import { phaseBar } from '../parts/phase-bar.ts';
import { counted, time } from '../parts/time.ts';
import { queryOf, valid } from '../queries.ts';
import type { Console, Html, View } from '../view.ts';

/** Adds the page of one build: its state, what happened to it and how Hapax knows, and what people can do about it. */
export function build(console: Console, { db, temporalUi }: ConsoleDependencies): void {
  console.get('/builds/:id{[0-9]+}', async (c) => {
    const { id } = valid(buildIdParam, c.req.param());
    const { at } = valid(buildAtQuery.strip(), queryOf(c));
    const { view } = c.var;
    const since = await findLogEnd(db);
    const found = await findStream(db, BUILDS, id);
    const events = found && at ? eventsUntil(found.events, at) : found?.events;
    const state = at ? events && foldEvents(BUILDS, events) : found?.state;
    if (!state || !events) throw notFound(at ? `build ${id} at that time` : `build ${id}`);
    const waitsFor = at || state.status !== 'queued' || state.concurrency === null ? [] : await listBuildsAhead(db, id);
    const proof = at ? undefined : await verifyStream(db, BUILDS, id);
    const until = at ? Math.min(Date.parse(at), view.now) : view.now;
    const content = html`${at ? pastNotice(view, id, at) : ''}
${at ? '' : attentionCard(view, state)}
${waitsFor.length > 0 ? waitsNotice(waitsFor.map((other) => other.id)) : ''}
${state.erased_at === null ? '' : erasedNotice(view, 'Its inputs', state.erased_at)}
${failureCard(state, failedJobsIn(events))}
<div class="split">
<section class="card" aria-labelledby="timeline-title"><header><h2 id="timeline-title">Timeline</h2><span class="hint">${counted(events.length, 'event')}</span></header>
${phaseBar(phasesOf(events, until))}
<ol class="timeline">${timeline(view, events)}</ol></section>
<div class="aside">${buildFacts(view, state, temporalUi)}${state.erased_at === null ? inputsTable(state) : ''}${artifactsCard(view, id, recordedRunIn(events, state.workflow_run_id)?.commit, artifactsIn(events, state.workflow_run_id))}${proof ? proofCard(id, proof) : ''}</div>
</div>`;
    return page(c, {
      title: `Build ${id}`,
      place: 'builds',
      actions: html`${statusBadge(state)}${at ? '' : buildActions(view, state)}`,
      content,
      ...(at ? {} : { live: { topics: [buildStream(id)], since } }),
    });
  });

  // The API serves it too. But a browser that has signed in sends its cookie only here.
  console.get('/builds/:id{[0-9]+}/provenance', async (c) => {
    const { id } = valid(buildIdParam, c.req.param());
    const found = await findStream(db, BUILDS, id);
    const statement = found && provenanceOf(found.state, found.events);
    if (!statement) throw notFound(`the provenance of build ${id}`);
    return c.json(statement);
  });
}

/** Returns the events, newest first: people come to see what a build does now. */
function timeline(view: View, events: readonly RecordedEvent[]): Html[] {
  return events.map((event, index) => buildEvent(view, event, events[index - 1])).toReversed();
}

function pastNotice(view: View, id: number, at: string): Html {
  return notice(
    'quiet',
    html`This is build ${id} as it was at ${time(view, at)}.`,
    html`<a href="builds/${id}">As it is now</a>`,
  );
}

function waitsNotice(ids: readonly number[]): Html {
  const links = ids.map((id, index) => html`${index === 0 ? '' : ', '}<a href="builds/${id}">${id}</a>`);
  return notice(
    'quiet',
    'It waits for its turn.',
    html`Builds of the same repository, workflow and ref go first: ${links}.`,
  );
}
