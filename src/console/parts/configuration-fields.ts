import { html } from 'hono/html';
import { concurrency, dispatchMode } from '../../contracts/builds/configuration.ts';
import { FORGE_KINDS } from '../../contracts/forges/forge.ts';
import { capabilitiesOf } from '../../domain/forges/capabilities.ts';
import { type Form, MAPS, type Preview } from '../configuration-form.ts';
import type { Html } from '../view.ts';
import { hidden } from './action.ts';
import { facts } from './facts.ts';
import { notice } from './notice.ts';

const MAP_LABELS: Readonly<Record<(typeof MAPS)[number], [label: string, hint: string]>> = {
  mapping: ['Mapping, as JSON', 'Field of the request: input of the workflow, or null for none.'],
  inputs: ['Default inputs, as JSON', 'A field of the request replaces them.'],
  constants: ['Constants, as JSON', 'Inputs that are always sent.'],
  templates: ['Templates, as JSON', 'Inputs that are put together from fields: "fedora-{{fedora_version}}".'],
};

/** Returns the fields that edit a configuration. */
export function configurationFields(form: Form): Html {
  const input = (name: string, label: string, more: Html = html``) =>
    html`<label class="field"><span>${label}</span><input name="${name}" value="${form[name] ?? ''}" autocomplete="off" spellcheck="false"${more}></label>`;
  const choice = concurrency.options.map(
    (value) =>
      html`<option value="${value}"${form.concurrency === value ? html` selected` : ''}>${value.replaceAll('_', ' ')}</option>`,
  );
  const modes = ['', ...dispatchMode.options].map(
    (value) =>
      html`<option value="${value}"${form.dispatch === value ? html` selected` : ''}>${value || 'as QUEUE_ENABLED says'}</option>`,
  );
  const forges = FORGE_KINDS.map(
    (kind) =>
      html`<option value="${kind}"${form.forge === kind ? html` selected` : ''}>${capabilitiesOf({ kind }).name}</option>`,
  );
  const maps = MAPS.map((name) => {
    const [label, hint] = MAP_LABELS[name];
    const text = form[name] ?? '{}';
    return html`<label class="field"><span>${label}</span><textarea name="${name}" rows="${Math.min(12, Math.max(3, text.split('\n').length))}" spellcheck="false">${text}</textarea><span class="hint">${hint}</span></label>`;
  });
  return html`${hidden({ version: form.version })}<section class="card"><h2>Workflow</h2><div class="pairs">
${input('name', 'Name', html` required maxlength="100"`)}
<label class="field"><span>Forge</span><select name="forge">${forges}</select></label>
${input('api_url', 'API of the forge', html` placeholder="as the credential says"`)}
${input('credential', 'Credential', html` placeholder="as the GITHUB_ settings say"`)}
${input('repository', 'Repository', html` required placeholder="owner/name"`)}
${input('workflow', 'Workflow', html` required placeholder="build.yml"`)}
${input('default_ref', 'Default ref')}
<label class="field"><span>Other builds of the same ref</span><select name="concurrency">${choice}</select></label>
<label class="field"><span>Dispatch</span><select name="dispatch">${modes}</select></label>
${input('deadline', 'Deadline', html` placeholder="as BUILD_DEADLINE says"`)}
${input('callback_url', 'Callback URL', html` placeholder="nobody is told"`)}
${input('yaml', 'Inputs that are YAML, with commas between')}</div></section>
<section class="card"><h2>Inputs</h2><div class="pairs">${maps}</div></section>`;
}

/** Returns an example of a request, and what it would dispatch. */
export function exampleCard(example: string, preview: Preview | undefined): Html {
  return html`<section class="card"><h2>Example</h2><label class="field"><span>Body of a request, as JSON</span><textarea name="example" rows="7" spellcheck="false">${example}</textarea></label>${previewResult(preview)}</section>`;
}

function previewResult(preview: Preview | undefined): Html {
  if (!preview) return html`<p class="hint">Name a repository and a workflow, and try it.</p>`;
  if ('faults' in preview) {
    const { faults } = preview;
    return notice('bad', 'It would be refused.', html`<ul>${faults.map((fault) => html`<li>${fault}</li>`)}</ul>`);
  }
  const entries = Object.entries(preview.inputs);
  const inputs =
    entries.length === 0
      ? html`<p class="hint">No inputs.</p>`
      : facts(entries.map(([name, value]) => [name, html`<code>${value}</code>`]));
  return html`<h3>GitHub would get</h3>${facts([['ref', html`<code>${preview.ref}</code>`]])}${inputs}`;
}
