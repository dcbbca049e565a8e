import { html } from 'hono/html';
import { resolveTrigger } from '../../commands/builds/resolve-trigger.ts';
import { triggerBuild } from '../../commands/builds/trigger-build.ts';
import { Refusal } from '../../commands/refusal.ts';
import { idempotencyKey } from '../../contracts/builds/build.ts';
import { type BuildConfiguration, configurationListQuery } from '../../contracts/builds/configuration.ts';
import { listConfigurations } from '../../store/builds/configuration-list.ts';
import { needs } from '../access.ts';
import type { ConsoleDependencies } from '../app.ts';
import { seeOther } from '../flash.ts';
import { page } from '../layout.ts';
import { fieldsOf } from '../parts/action.ts';
import { notice } from '../parts/notice.ts';
import { configurationChoice, previewCard, triggerFields } from '../parts/trigger-fields.ts';
import { queryOf, valid } from '../queries.ts';
import { FIELD, requestOf } from '../trigger-form.ts';
import type { Console, ConsoleContext } from '../view.ts';

type Form = Readonly<Record<string, string>>;

/** How many configurations people can choose from. With more, the URL names one. */
const MOST_CHOICES = 200;

const chosen = configurationListQuery
  .pick({ name: true })
  .extend({ config: configurationListQuery.shape.cursor })
  .strip();

/** Adds the form that triggers a build. A configuration fills it in. */
export function trigger(console: Console, deps: ConsoleDependencies): void {
  console.get('/trigger', async (c) => {
    const { config = 1, ...query } = queryOf(c);
    const { config: id = 1 } = valid(chosen, { config: String(config) });
    const configuration = await configurationOf(deps, id);
    // A link may fill in fields: `trigger?config=2&ref=main&image_type=silverblue`.
    const given = Object.fromEntries(
      Object.entries(query).map(([name, value]) => [name === 'ref' ? name : `${FIELD}${name}`, value]),
    );
    return formPage(c, deps, configuration, given);
  });
  console.post('/trigger', needs('trigger'), async (c) => {
    const form = await fieldsOf(c);
    const { config: id = 1 } = valid(chosen, { config: form.config });
    const configuration = await configurationOf(deps, id);
    if (form.intent === 'preview') return formPage(c, deps, configuration, form);
    try {
      const asked = {
        body: requestOf(id, form),
        caller: c.var.caller,
        idempotencyKey: keyOf(form),
        principal: c.var.principal,
      };
      const build = await triggerBuild(deps, asked);
      deps.meter.buildAccepted({ ...asked, replayed: build.replayed });
      c.var.log.info({ build_id: build.id, replayed: build.replayed }, 'build triggered');
      const text = build.replayed
        ? `An equal request made build ${build.id} before, so there is no new one. This is it.`
        : `Build ${build.id} is queued.`;
      return seeOther(c, `builds/${build.id}`, { tone: 'good', text });
    } catch (error) {
      if (!(error instanceof Refusal) || error.kind !== 'request') throw error;
      deps.meter.triggerRefused(error.code);
      return formPage(c, deps, configuration, form, error);
    }
  });
}

async function configurationOf({ configurations }: ConsoleDependencies, id: number): Promise<BuildConfiguration> {
  const found = await configurations.get(id);
  if (!found) throw new Refusal('unknown_configuration', { detail: `configuration ${id} does not exist` });
  return found;
}

/** @throws {Refusal} if the key is not valid. */
function keyOf({ key }: Form): string | undefined {
  return key ? valid(idempotencyKey, key) : undefined;
}

async function formPage(
  c: ConsoleContext,
  deps: ConsoleDependencies,
  configuration: BuildConfiguration,
  form: Form,
  refused?: Refusal,
) {
  const { view } = c.var;
  const all = await listConfigurations(deps.db, { after: 0, limit: MOST_CHOICES });
  const preview = await previewOf(deps, configuration, form);
  const told = refused ? notice('bad', 'No build was triggered.', refused.detail) : '';
  const fields = view.may('trigger')
    ? triggerFields(configuration, form)
    : notice(
        'quiet',
        'The console is read-only, so nothing can be triggered from here.',
        'The commands do the same, with a key of your own.',
      );
  return page(
    c,
    {
      title: 'Trigger a build',
      place: 'trigger',
      content: html`${told}${configurationChoice(
        configuration,
        all.filter(({ retired }) => !retired),
      )}<div class="halves">${fields}${previewCard(view, configuration, preview)}</div>`,
    },
    refused ? 422 : 200,
  );
}

/** Returns what a form would request from GitHub, or why it cannot. */
async function previewOf(deps: ConsoleDependencies, { id }: BuildConfiguration, form: Form) {
  try {
    const body = requestOf(id, form);
    const key = keyOf(form);
    const { policy, forges, configurations } = deps;
    const known = { correlationInput: policy.correlation_input, forges };
    const { request } = await resolveTrigger(configurations, body, known, undefined);
    return { body, key, request };
  } catch (error) {
    if (!(error instanceof Refusal) || error.kind !== 'request') throw error;
    return { fault: error.detail ?? error.message };
  }
}
