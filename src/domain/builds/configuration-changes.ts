import type { BuildConfiguration, ConfigurationDefinition } from '../../contracts/builds/configuration.ts';

/** A difference between two versions of a configuration. */
export interface ConfigurationDifference {
  /** For example `deadline` or `mapping.fedora_version`. */
  path: string;
  /** JSON; undefined if there was nothing. */
  before: string | undefined;
  after: string | undefined;
}

/** Every field, in the order in which people see them; the database keeps none. */
const FIELDS: Record<keyof ConfigurationDefinition, true> = {
  ...{ forge: true, api_url: true, credential: true, repository: true, workflow: true, default_ref: true },
  ...{ mapping: true, inputs: true, constants: true, templates: true, yaml: true },
  ...{ concurrency: true, dispatch: true, deadline: true, callback_url: true },
};
const ORDER = Object.keys(FIELDS) as Array<keyof ConfigurationDefinition>;

type Version = Pick<BuildConfiguration, 'name' | 'retired' | 'definition'>;

/** Returns what a version changed, in the order of its fields; everything that it set if `before` is undefined. */
export function configurationDifferences(before: Version | undefined, after: Version): ConfigurationDifference[] {
  const [old, now] = [before ? fieldsOf(before) : new Map<string, string>(), fieldsOf(after)];
  const place = (path: string) => [...ORDER, 'retired'].indexOf(path.split('.')[0] as never);
  return [...new Set([...now.keys(), ...old.keys()])]
    .sort((a, b) => place(a) - place(b))
    .filter((path) => old.get(path) !== now.get(path))
    .map((path) => ({ path, before: old.get(path), after: now.get(path) }));
}

/** Returns every field with its value as JSON, and each entry of a map as a field. Leaves out fields that are not set. */
function fieldsOf({ name, retired, definition }: Version): Map<string, string> {
  const fields = new Map<string, string>([['name', JSON.stringify(name)]]);
  for (const field of ORDER) {
    const value = definition[field];
    if (value == null || (Array.isArray(value) && value.length === 0)) continue;
    if (typeof value === 'object' && !Array.isArray(value)) {
      for (const key of Object.keys(value).sort()) fields.set(`${field}.${key}`, JSON.stringify(value[key]));
    } else fields.set(field, JSON.stringify(value));
  }
  if (retired) fields.set('retired', 'true');
  return fields;
}
