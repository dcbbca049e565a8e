import type { BuildConfiguration, ConfigurationDefinition } from '../../contracts/builds/configuration.ts';

/** What differs between two versions of a configuration. */
export interface ConfigurationDifference {
  /** `deadline`, `mapping.fedora_version`. */
  path: string;
  /** JSON; undefined where there was nothing. */
  before: string | undefined;
  after: string | undefined;
}

/** The order of fields; the database keeps none. */
const ORDER: ReadonlyArray<keyof ConfigurationDefinition> = [
  ...(['repository', 'workflow', 'default_ref', 'mapping', 'inputs', 'constants', 'templates', 'yaml'] as const),
  ...(['concurrency', 'deadline', 'callback_url'] as const),
];

type Version = Pick<BuildConfiguration, 'name' | 'retired' | 'definition'>;

/** What a version changed, in the order of its fields; with `undefined` before it, all that it set. */
export function configurationDifferences(before: Version | undefined, after: Version): ConfigurationDifference[] {
  const [old, now] = [before ? fieldsOf(before) : new Map<string, string>(), fieldsOf(after)];
  const place = (path: string) => [...ORDER, 'retired'].indexOf(path.split('.')[0] as never);
  return [...new Set([...now.keys(), ...old.keys()])]
    .sort((a, b) => place(a) - place(b))
    .filter((path) => old.get(path) !== now.get(path))
    .map((path) => ({ path, before: old.get(path), after: now.get(path) }));
}

/** Every field with its value as JSON; those of maps by their own names. What is not set is left out. */
function fieldsOf({ name, retired, definition }: Version): Map<string, string> {
  const fields = new Map<string, string>([['name', JSON.stringify(name)]]);
  for (const field of ORDER) {
    const value = definition[field];
    if (value === null || (Array.isArray(value) && value.length === 0)) continue;
    if (typeof value === 'object' && !Array.isArray(value)) {
      for (const key of Object.keys(value).sort()) fields.set(`${field}.${key}`, JSON.stringify(value[key]));
    } else fields.set(field, JSON.stringify(value));
  }
  if (retired) fields.set('retired', 'true');
  return fields;
}
