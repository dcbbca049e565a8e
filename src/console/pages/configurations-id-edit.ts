import { html } from 'hono/html';
import { type ChangeDependencies, changeConfiguration } from '../../commands/configurations/change-configuration.ts';
import { Refusal } from '../../commands/refusal.ts';
import { type BuildConfiguration, configurationIdParam } from '../../contracts/builds/configuration.ts';
import { needs, requireMay } from '../access.ts';
import type { ConsoleDependencies } from '../app.ts';
import { contentOf, type Form, formOfConfiguration, NEW_FORM, previewOf } from '../configuration-form.ts';
import { seeOther } from '../flash.ts';
import { page } from '../layout.ts';
import { fieldsOf } from '../parts/action.ts';
import { configurationFields, exampleCard } from '../parts/configuration-fields.ts';
import { faultsOf, notice } from '../parts/notice.ts';
import { valid } from '../queries.ts';
import type { Console, ConsoleContext } from '../view.ts';

/** Returns what changes of configurations need. */
export function changesOf({ db, callbackHosts, policy, forges }: ConsoleDependencies): ChangeDependencies {
  return { db, callbackHosts, forges, correlationInput: policy.correlation_input };
}

/** Adds the forms that create and change configurations. They show an example of a request before they save. */
export function editConfiguration(console: Console, deps: ConsoleDependencies): void {
  console.get('/configurations/new', (c) => {
    requireMay(c, 'configure');
    return formPage(c, deps, undefined, NEW_FORM);
  });
  console.get('/configurations/:id{[0-9]+}/edit', async (c) => {
    requireMay(c, 'configure');
    const current = await existing(deps, c);
    return formPage(c, deps, current, formOfConfiguration(current));
  });
  console.post('/configurations/new', needs('configure'), async (c) => save(c, deps, undefined, await fieldsOf(c)));
  console.post('/configurations/:id{[0-9]+}/edit', needs('configure'), async (c) =>
    save(c, deps, await existing(deps, c), await fieldsOf(c)),
  );
}

function existing({ configurations }: ConsoleDependencies, c: ConsoleContext): Promise<BuildConfiguration> {
  return configurations.existing(valid(configurationIdParam, c.req.param()).id);
}

async function save(c: ConsoleContext, deps: ConsoleDependencies, current: BuildConfiguration | undefined, form: Form) {
  if (form.intent === 'preview') return formPage(c, deps, current, form);
  try {
    const { name, ...content } = contentOf(form);
    const { configuration } = await changeConfiguration(changesOf(deps), {
      target: current ? { id: current.id } : 'new',
      to: { name, content },
      caller: c.var.caller,
      expects: (version) => current === undefined || String(version) === form.version,
    });
    const { id, version } = configuration;
    c.var.log.info({ config_id: id, version }, 'build configuration saved');
    const isSame = current !== undefined && current.version === version;
    const text = isSame ? 'Nothing differs, so there is no new version.' : `Version ${version} stands now.`;
    return seeOther(c, `configurations/${id}`, { tone: 'good', text });
  } catch (error) {
    if (!(error instanceof Refusal) || error.kind !== 'request') throw error;
    return formPage(c, deps, current, form, error);
  }
}

function formPage(
  c: ConsoleContext,
  deps: ConsoleDependencies,
  current: BuildConfiguration | undefined,
  form: Form,
  refusal?: Refusal,
) {
  const said = refusal ? notice('bad', 'It was not saved.', faultsOf(refusal)) : '';
  const to = current ? `configurations/${current.id}/edit` : 'configurations/new';
  const back = current ? `configurations/${current.id}` : 'configurations';
  const content = html`${said}<form method="post" action="${to}" class="split" data-keep>
<div class="aside">${configurationFields(form)}<div class="buttons"><button type="submit" class="main">${current ? 'Save as a new version' : 'Create'}</button><button type="submit" name="intent" value="preview" formnovalidate>Try the example</button><a class="button quiet" href="${back}">Leave it</a></div></div>
${exampleCard(form.example ?? '', previewOf(form, deps.policy.correlation_input))}</form>`;
  const title = current ? `Edit ${current.name}` : 'New configuration';
  return page(c, { title, place: 'configurations', content }, refusal ? 422 : 200);
}
