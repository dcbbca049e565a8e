import {
  type ChangeDependencies,
  type ConfigurationEdit,
  changeConfiguration,
} from '../commands/configurations/change-configuration.ts';
import type { ConfigurationView } from '../contracts/builds/configuration.ts';
import { configurationViewOf } from './configuration-view.ts';
import type { ApiContext } from './environment.ts';
import { etagOf, ifMatch } from './etag.ts';

/**
 * Makes a change of a configuration for a request, if its If-Match allows that, and sets the ETag of the response.
 * @param done what the log says that became of it.
 */
export async function changeFor(
  c: ApiContext,
  deps: ChangeDependencies,
  edit: Pick<ConfigurationEdit, 'target' | 'to'>,
  done: 'replaced' | 'retired' | 'upserted',
): Promise<{ view: ConfigurationView; created: boolean }> {
  const expects = ifMatch(c.req.header('if-match'));
  const { configuration, created } = await changeConfiguration(deps, { ...edit, caller: c.var.caller, expects });
  const { id, version } = configuration;
  c.var.log.info({ config_id: id, version }, `build configuration ${done}`);
  c.header('ETag', etagOf(version));
  return { view: configurationViewOf(configuration), created };
}
