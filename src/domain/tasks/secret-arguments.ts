import type { TaskType } from '../../contracts/tasks/task-type.ts';
import { canonicalJson } from '../record/hash.ts';
import { bindArguments } from './task-arguments.ts';

/** Encryption of secret arguments. `about` is authenticated: a text opens only with the `about` that it was sealed with. */
export interface SecretBox {
  seal(text: string, about: string): string;
  /** @throws if it was sealed for something else or changed, or if its key is missing. */
  open(sealed: string, about: string): string;
  /**
   * For each key, the present one first, returns the same digest for equal texts. Without the key, nobody can find a text by its digest.
   */
  digests: ReadonlyArray<(text: string) => string>;
}

/** The replacement of a secret argument: its JSON, sealed. */
interface Sealed {
  $secret: string;
}

type Arguments = Record<'args', unknown[]> & Record<'kwargs', Record<string, unknown>>;

/** What a type says about its arguments. */
type Signature = Pick<TaskType, 'schema' | 'runtime' | 'parameters'>;

/** The places of secret arguments by their names: `args.0`, `kwargs.token`. */
type Places = ReadonlyMap<string, string>;

/**
 * Returns which of the arguments are secret: those that the schema of a TypeScript type marks with `writeOnly`. None if they do not fit
 * the type. Python workers open none.
 */
export function secretPlaces(type: Signature | undefined, { args, kwargs }: Arguments): Places {
  if (type?.runtime !== 'typescript') return new Map();
  const properties = (type.schema?.properties ?? {}) as Record<string, { writeOnly?: unknown } | boolean>;
  const isSecret = (name: string) => {
    const property = Object.hasOwn(properties, name) ? properties[name] : undefined;
    return typeof property === 'object' && property.writeOnly === true;
  };
  const bound = bindArguments(type.parameters ?? [], args, kwargs);
  return new Map('faults' in bound ? [] : [...bound.places].filter(([name]) => isSecret(name)));
}

/** Seals the secret arguments of a task. */
export function sealSecrets(box: SecretBox, taskId: string, places: Places, given: Arguments): Arguments {
  return eachPlace(places, given, (place, value) => ({
    $secret: box.seal(JSON.stringify(value), aboutOf(taskId, place)),
  }));
}

/**
 * Returns arguments as they were given. One that is not sealed was given before the type was known.
 * @throws as {@link SecretBox.open} does, and if one is sealed and there is no box.
 */
export function openSecrets(box: SecretBox | undefined, taskId: string, places: Places, kept: Arguments): Arguments {
  return eachPlace(places, kept, (place, value) => {
    if (!isSealed(value)) return value;
    if (!box) throw new Error('TEMPORAL_CODEC_KEYS is not set');
    return JSON.parse(box.open(value.$secret, aboutOf(taskId, place)));
  });
}

/** Returns arguments by name for fingerprints, with a digest in place of each secret: once for each key, the present one first. */
export function withoutSecrets(
  box: SecretBox,
  places: Places,
  given: Readonly<Record<string, unknown>>,
): Array<Record<string, unknown>> {
  return box.digests.map((digest) =>
    Object.fromEntries(
      Object.entries(given).map(([name, value]) => [name, places.has(name) ? digest(canonicalJson(value)) : value]),
    ),
  );
}

/** Returns arguments with those at the places changed. */
function eachPlace(
  places: Places,
  { args, kwargs }: Arguments,
  change: (place: string, value: unknown) => unknown,
): Arguments {
  const chosen = new Set(places.values());
  const changed = (place: string, value: unknown) => (chosen.has(place) ? change(place, value) : value);
  return {
    args: args.map((value, index) => changed(`args.${index}`, value)),
    kwargs: Object.fromEntries(Object.entries(kwargs).map(([name, value]) => [name, changed(`kwargs.${name}`, value)])),
  };
}

function aboutOf(taskId: string, place: string): string {
  return `task ${taskId} ${place}`;
}

function isSealed(value: unknown): value is Sealed {
  if (typeof value !== 'object' || value === null) return false;
  return Object.keys(value).length === 1 && typeof (value as Partial<Sealed>).$secret === 'string';
}
