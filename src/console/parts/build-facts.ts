import { html } from 'hono/html';
import type { Build } from '../../domain/builds/build.ts';
import { type TemporalUi, workflowPage } from '../../domain/links.ts';
import type { StreamProof } from '../../store/record/stream-verify.ts';
import { type Html, linkTo, type View } from '../view.ts';
import { badge } from './badge.ts';
import { copyable } from './copyable.ts';
import { facts, factsCard } from './facts.ts';
import { outsideLink } from './outside-link.ts';
import { between, counted, time } from './time.ts';

/** Returns the facts about a build, with links. */
export function buildFacts(view: View, build: Build, temporalUi: TemporalUi): Html {
  const { request, config_id, config_version, workflow_run_id, run_url, run_attempt, workflow_id } = build;
  const page = workflowPage(temporalUi, workflow_id);
  const workflow = page === null ? html`<code>${workflow_id}</code>` : outsideLink(page, 'Workflow');
  return factsCard([
    ['Repository', html`<a href="${linkTo('builds', { repository: request.repository })}">${request.repository}</a>`],
    ['Workflow', html`<code>${request.workflow}</code>`],
    ['Ref', html`<a href="${linkTo('builds', { ref: request.ref })}"><code>${request.ref}</code></a>`],
    ['Configuration', html`<a href="configurations/${config_id}">${config_id}</a>, version ${config_version}`],
    [
      'Run',
      workflow_run_id === null
        ? html`<span class="none">none yet</span>`
        : html`${outsideLink(run_url, workflow_run_id)}${run_attempt !== null && run_attempt > 1 ? `, attempt ${run_attempt}` : ''}`,
    ],
    build.conclusion !== null && ['Conclusion', build.conclusion.replaceAll('_', ' ')],
    ['Temporal', workflow],
    ['Requested by', html`${build.caller}${build.keyed ? ', with an Idempotency-Key' : ''}`],
    ['Priority', `${build.priority} of 5`],
    build.concurrency !== null && ['Concurrency', build.concurrency.replaceAll('_', ' ')],
    ['Created', time(view, build.created_at)],
    ['Started', time(view, build.started_at)],
    ['Ended', time(view, build.completed_at)],
    ['Took', between(view, build.created_at, build.completed_at)],
    ['Dispatches', request.shadow ? 'none: another program sends it' : String(build.attempts)],
    build.retries > 0 && ['Retries', String(build.retries)],
  ]);
}

/** Returns the inputs of its dispatch. */
export function inputsTable({ request: { inputs } }: Build): Html {
  const entries = Object.entries(inputs);
  const shown =
    entries.length === 0
      ? html`<p class="hint">None.</p>`
      : facts(entries.map(([name, value]) => [name, inputValue(value)]));
  return html`<section class="card" aria-labelledby="inputs-title"><h2 id="inputs-title">Inputs</h2>${shown}</section>`;
}

function inputValue(value: string): Html {
  if (value.length <= 120) return html`<code>${value}</code>`;
  return html`<details class="json"><summary><code>${value.slice(0, 120).toWellFormed()}…</code></summary><pre tabindex="0"><code>${value}</code></pre></details>`;
}

/** Returns the proof that the page shows what was recorded, and how to check it without trusting this server. */
export function proofCard(id: number, { length, head, fault }: StreamProof): Html {
  const said = fault
    ? html`${badge('failure', 'Not valid')} Event ${fault.seq} ${fault.fault}.`
    : html`${badge('success', 'Valid')} The hashes of ${counted(length, 'event')} hold, and the state follows from them.`;
  const commands = `hapax logs ${id} --json > build-${id}.json\nhapax verify ${id} --file build-${id}.json --head ${head}`;
  return html`<section class="card" aria-labelledby="proof-title"><h2 id="proof-title">Proof</h2><p>${said}</p><p class="hint">Head: <code class="hash">${head}</code></p><details><summary>Check it without this server</summary><p class="hint">Keep the head somewhere else. Whoever has it can later tell whether an event was changed.</p>${copyable('proof-commands', commands)}</details></section>`;
}
