import { html } from 'hono/html';
import { changeConfiguration } from '../../commands/configurations/change-configuration.ts';
import {
  type BuildConfiguration,
  configurationIdParam,
  configurationPageQuery,
  ENVIRONMENT_CONFIGURATION,
} from '../../contracts/builds/configuration.ts';
import { configurationDifferences } from '../../domain/builds/configuration-changes.ts';
import { capabilitiesOf } from '../../domain/forges/capabilities.ts';
import { listConfigurationVersions } from '../../store/builds/configuration-list-versions.ts';
import { needs } from '../access.ts';
import type { ConsoleDependencies } from '../app.ts';
import { seeOther } from '../flash.ts';
import { confirmed, page } from '../layout.ts';
import { action, fieldsOf } from '../parts/action.ts';
import { badge } from '../parts/badge.ts';
import { type Fact, facts } from '../parts/facts.ts';
import { pager } from '../parts/table.ts';
import { time } from '../parts/time.ts';
import { queryOf, valid } from '../queries.ts';
import { type Console, type Html, linkTo, type View } from '../view.ts';
import { changesOf } from './configurations-id-edit.ts';

const query = configurationPageQuery.pick({ cursor: true }).strip();

const PAGE = 20;

/** Adds the page of one configuration: its content, and what each version changed. */
export function configuration(console: Console, deps: ConsoleDependencies): void {
  console.get('/configurations/:id{[0-9]+}', async (c) => {
    const { id } = valid(configurationIdParam, c.req.param());
    const { cursor } = valid(query, queryOf(c));
    const { view } = c.var;
    const newest = await deps.configurations.existing(id);
    const found = await listConfigurationVersions(deps.db, id, { before: cursor, limit: PAGE + 1 });
    const shown = found.slice(0, PAGE);
    const next = found.length > PAGE ? String(shown.at(-1)?.version) : null;
    const versions = shown.map((one, index) => versionItem(view, one, found[index + 1]));
    const position = cursor === undefined ? undefined : String(cursor);
    return page(c, {
      title: newest.name,
      place: 'configurations',
      actions: html`${newest.retired ? badge('cancelled', 'Retired') : ''}${actions(view, newest)}`,
      content: html`<div class="split"><section class="card"><h2>Versions</h2><ol class="versions">${versions}</ol>${pager(`configurations/${id}`, {}, { cursor: position, next })}</section>${contentCard(newest)}</div>`,
    });
  });

  console.post('/configurations/:id{[0-9]+}/retire', needs('configure'), async (c) => {
    const { id } = valid(configurationIdParam, c.req.param());
    const { version: shown } = await fieldsOf(c);
    const expects = (version: number | undefined) => String(version) === shown;
    return confirmed(c, { question: RETIRE_QUESTION, label: 'Retire it' }, async () => {
      await changeConfiguration(changesOf(deps), { target: { id }, to: undefined, caller: c.var.caller, expects });
      c.var.log.info({ config_id: id }, 'build configuration retired');
      const text = 'It is retired. Save it again to make it active.';
      return seeOther(c, `configurations/${id}`, { tone: 'good', text });
    });
  });
}

const RETIRE_QUESTION =
  'Retire this configuration? Triggers are refused from now on. Its builds go on, and its history stays.';

function actions(view: View, { id, version, retired, definition }: BuildConfiguration): Html {
  const trigger =
    retired || !view.may('trigger')
      ? ''
      : html`<a class="button main" href="${linkTo('trigger', { config: id })}">Trigger</a>`;
  const compare =
    definition.dispatch === 'shadow' && view.may('operate')
      ? html`<a class="button" href="configurations/${id}/shadow">Compare</a>`
      : '';
  if (id === ENVIRONMENT_CONFIGURATION.id || !view.may('configure')) return html`${trigger}${compare}`;
  const edit = html`<a class="button" href="configurations/${id}/edit">Edit</a>`;
  const retire = action(view, {
    right: 'configure',
    to: `configurations/${id}/retire`,
    label: 'Retire',
    tone: 'danger',
    fields: { version },
    confirm: RETIRE_QUESTION,
  });
  return html`${trigger}${compare}${edit}${retired ? '' : retire}`;
}

function contentCard({ id, definition }: BuildConfiguration): Html {
  const { forge, api_url, credential, repository, workflow, default_ref, concurrency } = definition;
  const { deadline, callback_url, yaml, dispatch } = definition;
  const rows: Fact[] = [
    [
      'Forge',
      credential === null
        ? capabilitiesOf({ kind: forge }).name
        : `${capabilitiesOf({ kind: forge }).name}, by ${credential}`,
    ],
    api_url !== null && ['API of the forge', html`<code>${api_url}</code>`],
    ['Repository', repository],
    ['Workflow', html`<code>${workflow}</code>`],
    ['Default ref', html`<code>${default_ref}</code>`],
    ['Concurrency', concurrency.replaceAll('_', ' ')],
    ['Dispatch', dispatch ?? 'as QUEUE_ENABLED says'],
    ['Deadline', deadline ?? 'as BUILD_DEADLINE says'],
    callback_url !== null && ['Callback to', callback_url],
    yaml.length > 0 && ['YAML inputs', yaml.join(', ')],
  ];
  const maps = (['mapping', 'inputs', 'constants', 'templates'] as const).map((name) => {
    const entries = Object.entries(definition[name]);
    return entries.length === 0
      ? ''
      : html`<h3>${MAP_TITLES[name]}</h3>${facts(entries.map(([key, value]) => [key, html`<code>${value ?? '–'}</code>`]))}`;
  });
  const ofEnvironment =
    id === ENVIRONMENT_CONFIGURATION.id
      ? html`<p class="hint">It comes from GITHUB_REPO and GITHUB_WORKFLOW; change these settings, or make another configuration.</p>`
      : '';
  return html`<section class="card"><h2>What it says</h2>${facts(rows)}${maps}${ofEnvironment}</section>`;
}

const MAP_TITLES = {
  mapping: 'Field of the request, and its input',
  inputs: 'Default inputs',
  constants: 'Inputs that are always sent',
  templates: 'Inputs that are put together',
} as const;

function versionItem(view: View, after: BuildConfiguration, before: BuildConfiguration | undefined): Html {
  const { version, created_at, changed_by } = after;
  const isFirst = version === 1;
  const differences = isFirst || before ? configurationDifferences(before, after) : [];
  const side = (sign: string, tone: string, value: string | undefined) =>
    value === undefined
      ? ''
      : html`<span class="${tone}"><span aria-hidden="true">${sign}</span><code>${value}</code></span>`;
  return html`<li><h3>Version ${version} <span class="hint">${time(view, created_at)} by ${changed_by}</span></h3><dl class="differences">${differences.map(({ path, before: old, after: now }) => html`<div><dt><code>${path}</code></dt><dd>${side('−', 'bad', old)}${side('+', 'good', now)}</dd></div>`)}</dl></li>`;
}
