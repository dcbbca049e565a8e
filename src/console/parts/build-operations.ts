import { html } from 'hono/html';
import { TERMINAL_STATUSES } from '../../contracts/builds/build.ts';
import type { FailedJob } from '../../contracts/builds/failed-job.ts';
import type { RetryMode } from '../../contracts/builds/operator.ts';
import { UNFOLLOWED } from '../../contracts/builds/unfollowed.ts';
import type { Build } from '../../domain/builds/build.ts';
import { candidatesOf } from '../../domain/builds/candidate-runs.ts';
import { retryModes } from '../../domain/builds/retry-modes.ts';
import type { Html, View } from '../view.ts';
import { action } from './action.ts';
import { icon } from './icon.ts';
import { notice } from './notice.ts';
import { outsideLink } from './outside-link.ts';
import { counted } from './time.ts';

/** Returns the question before a build is cancelled. */
export function cancelQuestion({ id, workflow_run_id }: Pick<Build, 'id' | 'workflow_run_id'>): string {
  const run =
    workflow_run_id === null
      ? 'If its dispatch was not sent yet, it never is.'
      : `Run ${workflow_run_id} at GitHub is cancelled too.`;
  return `Cancel build ${id}? ${run}`;
}

type Retried = Pick<Build, 'id' | 'needs_attention' | 'workflow_run_id' | 'conclusion' | 'request'>;

/**
 * Returns the question before a retry that sends another dispatch although a run may exist; undefined if there is nothing to ask.
 * @param mode undefined for the usual one of the build.
 */
export function retryQuestion(build: Retried, mode: RetryMode | undefined): string | undefined {
  const { id, needs_attention, workflow_run_id, conclusion } = build;
  if (needs_attention || workflow_run_id === null) {
    return `Dispatch build ${id} again? This says that no run exists. If one does after all, the workflow runs twice.`;
  }
  if ((mode ?? retryModes(build)[0]) !== 'redispatch' || !UNFOLLOWED.includes(conclusion)) return undefined;
  return `Make a new run for build ${id}? Run ${workflow_run_id} may still be going. If it is, the workflow runs twice.`;
}

/** Returns the question before a build follows a run that a person names. */
export function adoptQuestion(id: number, run_id: number): string {
  return `Have build ${id} follow run ${run_id}? Hapax checks that the run exists, not that it belongs to the build. This cannot be undone.`;
}

const RETRY_LABELS: Readonly<Record<RetryMode, string>> = {
  rerun: 'Run it again',
  rerun_failed: 'Run the failed jobs again',
  redispatch: 'Make a new run',
};

/** Returns the operations that the build's state allows. */
export function buildActions(view: View, build: Build): Html {
  const { id, status, needs_attention } = build;
  if (!view.may('operate')) return html``;
  if (status === 'failure' && build.erased_at === null) {
    return html`${retryModes(build).map((mode, index) => {
      const confirm = retryQuestion(build, mode);
      const first = { icon: 'retry', tone: 'main', key: 'r' } as const;
      const to = `builds/${id}/retry`;
      return action(view, {
        to,
        label: RETRY_LABELS[mode],
        fields: { mode },
        ...(confirm ? { confirm } : {}),
        ...(index === 0 ? first : {}),
      });
    })}`;
  }
  if (TERMINAL_STATUSES.includes(status)) return html``;
  const again = needs_attention
    ? action(view, {
        to: `builds/${id}/retry`,
        label: 'Dispatch again',
        icon: 'retry',
        key: 'r',
        confirm: retryQuestion(build, undefined)!,
      })
    : '';
  return html`${again}${action(view, { to: `builds/${id}/cancel`, label: 'Cancel', tone: 'danger', key: 'c', confirm: cancelQuestion(build) })}`;
}

/** Returns what a person must decide, with the runs that may belong to the build. */
export function attentionCard(view: View, build: Build): Html {
  const { id, needs_attention, reason } = build;
  if (!needs_attention) return html``;
  const candidates = candidatesOf(build);
  const told = (reason ?? '').replace(/; it could be .*?(?=; adopt|$)/, '');
  const adopt = (run_id: number) =>
    action(view, {
      to: `builds/${id}/adopt`,
      label: 'It is this one',
      fields: { run_id },
      confirm: adoptQuestion(id, run_id),
    });
  const listed = candidates.map(
    ({ run_id, run_url }) => html`<li>${outsideLink(run_url, `Run ${run_id}`)}${adopt(run_id)}</li>`,
  );
  const form = html`<form method="post" action="builds/${id}/adopt" class="inline" data-keep><label class="field"><span>Id of another run</span><input name="run_id" inputmode="numeric" pattern="[1-9][0-9]{0,15}" required placeholder="27959419003" autocomplete="off"></label><button type="submit">Adopt it</button></form>`;
  return html`<section class="card attention" aria-labelledby="attention-title"><h2 id="attention-title">${icon('attention')}This build needs you</h2><p>${told}</p>
${listed.length > 0 ? html`<p>${counted(listed.length, 'run')} may be its own. Look at each at GitHub:</p><ul class="candidates">${listed}</ul>` : ''}
${view.may('operate') ? html`${form}<p class="hint">If there is no run at all, dispatch it again. If it is not wanted any more, cancel it.</p>` : ''}</section>`;
}

/** Returns why a run failed: its failed jobs, their steps and their messages. */
export function failureCard(
  { reason, needs_attention, dead_lettered, status }: Build,
  jobs: readonly FailedJob[],
): Html {
  if (status !== 'failure') return html``;
  const told =
    reason !== null && !needs_attention && dead_lettered ? notice('bad', 'It failed without a run.', reason) : '';
  if (jobs.length === 0) return html`${told}`;
  return html`${told}<section class="card" aria-labelledby="failed-title"><h2 id="failed-title">${counted(jobs.length, 'job')} failed</h2><ul class="jobs">${jobs.map(failedJob)}</ul></section>`;
}

function failedJob({ name, conclusion, url, steps, annotations }: FailedJob): Html {
  return html`<li><h3>${icon('failure')}${outsideLink(url, name)} <span class="hint">${conclusion.replaceAll('_', ' ')}</span></h3>
${steps.length > 0 ? html`<ul class="steps">${steps.map((step) => html`<li>Step ${step.number}: <strong>${step.name}</strong> <span class="hint">${step.conclusion.replaceAll('_', ' ')}</span></li>`)}</ul>` : ''}
${annotations.map(({ level, message, path, line }) => html`<div class="annotation ${level === 'failure' ? 'bad' : 'warn'}"><pre tabindex="0"><code>${message}</code></pre><p class="hint">${level} at <code>${path}:${line}</code></p></div>`)}</li>`;
}
