import { html } from 'hono/html';
import type { TriggerBody } from '../../contracts/builds/build.ts';
import type { BuildConfiguration } from '../../contracts/builds/configuration.ts';
import type { BuildRequest } from '../../contracts/builds/event.ts';
import { askedFields, commandOf, curlOf, FIELD } from '../trigger-form.ts';
import type { Html, View } from '../view.ts';
import { copyable } from './copyable.ts';
import { type Fact, facts } from './facts.ts';
import { icon } from './icon.ts';
import { notice } from './notice.ts';

/** Returns the choice of the configuration that fills in a form. */
export function configurationChoice(chosen: BuildConfiguration, all: readonly BuildConfiguration[]): Html {
  const listed = all.some(({ id }) => id === chosen.id) ? all : [chosen, ...all];
  return html`<form class="filters" method="get" action="trigger" data-filters><label class="field"><span>Configuration</span><select name="config">${listed.map(({ id, name }) => html`<option value="${id}"${id === chosen.id ? html` selected` : ''}>${name} (${id})</option>`)}</select></label><button type="submit" class="no-js">Choose</button></form>`;
}

const PRIORITIES = ['1, first', '2', '3, usual', '4', '5, last'] as const;

/** Returns the trigger form, filled in by its configuration and by what was sent before. */
export function triggerFields(configuration: BuildConfiguration, form: Readonly<Record<string, string>>): Html {
  const { id, definition } = configuration;
  const value = (name: string, preset = '') => form[name] ?? preset;
  const priority = Number(value('priority', '3'));
  const field = ({ name, preset, long }: ReturnType<typeof askedFields>[number]) => {
    const given = value(`${FIELD}${name}`, preset);
    // A browser removes the line breaks of an `input`, and the first one of a `textarea`.
    const control =
      long || given.includes('\n')
        ? html`<textarea name="${FIELD}${name}" rows="5" spellcheck="false">\n${given}</textarea>`
        : html`<input name="${FIELD}${name}" value="${given}" autocomplete="off" spellcheck="false">`;
    return html`<label class="field"><span>${name}</span>${control}</label>`;
  };
  return html`<section class="card" aria-labelledby="request-title"><h2 id="request-title">Request</h2>
<form id="trigger-form" method="post" action="trigger" class="stack" data-keep><input type="hidden" name="config" value="${id}">
<label class="field"><span>Branch or tag</span><input name="ref" value="${value('ref', definition.default_ref)}" autocomplete="off" spellcheck="false"></label>
${askedFields(configuration).map(field)}
<details class="more"${form.more || form.key || form.callback_url || priority !== 3 ? html` open` : ''}><summary>More</summary><div class="stack">
<label class="field"><span>More inputs, one <code>name=value</code> a line</span><textarea name="more" rows="3" spellcheck="false">${value('more')}</textarea></label>
<label class="field"><span>Priority</span><select name="priority">${PRIORITIES.map((text, index) => html`<option value="${index + 1}"${priority === index + 1 ? html` selected` : ''}>${text}</option>`)}</select></label>
<label class="field"><span>Callback URL</span><input name="callback_url" type="url" value="${value('callback_url')}" autocomplete="off"></label>
<label class="field"><span>Idempotency-Key</span><input name="key" value="${value('key')}" autocomplete="off" maxlength="255" spellcheck="false"></label>
<p class="hint">With a key, the same request gets the same build for ever. Without one, only until the dedup window ends.</p></div></details>
<div class="buttons"><button type="submit" name="intent" value="trigger" class="main">${icon('trigger')}Trigger</button><button type="submit" name="intent" value="preview" class="no-js">Preview</button></div></form></section>`;
}

/** The request that would be sent to GitHub, or why it cannot be sent. */
export type Preview = { body: TriggerBody; key: string | undefined; request: BuildRequest } | { fault: string };

/** Returns a preview of the request, which is updated while somebody types. */
export function previewCard(view: View, { name, version }: BuildConfiguration, preview: Preview): Html {
  const live = view.may('trigger')
    ? html` hx-post="trigger" hx-include="#trigger-form" hx-vals='{"intent":"preview"}' hx-trigger="input from:#trigger-form delay:400ms" hx-select="#preview" hx-swap="outerMorph" aria-live="polite"`
    : '';
  const content =
    'fault' in preview ? notice('warn', 'This cannot be sent as it is.', preview.fault) : sent(view, name, preview);
  return html`<section id="preview" class="card" aria-labelledby="preview-title"${live}><header><h2 id="preview-title">What is sent</h2><span class="hint">${name}, version ${version}</span></header>${content}</section>`;
}

function sent(view: View, name: string, { body, key, request }: Exclude<Preview, { fault: string }>): Html {
  const inputs = Object.entries(request.inputs).map(([input, value]): Fact => {
    return [input, html`<code>${value.slice(0, 300).toWellFormed()}${value.length > 300 ? '…' : ''}</code>`];
  });
  const workflow = html`${request.repository} <code>${request.workflow}</code>`;
  const curl = view.origin
    ? html`<h3>The same with curl</h3>${copyable('curl', curlOf(view.origin, body, key, view.signedIn))}`
    : '';
  return html`${facts([['Workflow', workflow], ['Ref', html`<code>${request.ref}</code>`], ...inputs])}
${curl}
<h3>The same with the command line</h3>${copyable('command', commandOf(name, body, key))}`;
}
