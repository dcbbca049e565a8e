import type { TaskType } from '../../contracts/tasks/task-type.ts';
import { canonicalJson } from '../record/hash.ts';
import type { BoundArguments } from './task-arguments.ts';

/** Encryption of secret arguments. `about` is authenticated: a text opens only with the `about` that it was sealed with. */
export interface SecretBox {
  seal(text: string, about: string): string;
  /** @throws if it was sealed for something else or changed, or if its key is missing. */
  open(sealed: string, about: string): string;
  /** Returns the same digest for equal texts. Without the key, nobody can find a text by its digest. */
  digest(text: string): string;
}

/** The replacement of a secret argument: its JSON, sealed. */
interface Sealed {
  $secret: string;
}

type Arguments = Record<'args', unknown[]> & Record<'kwargs', Record<string, unknown>>;

/** Returns the names of a TypeScript type's secret arguments: those that its schema marks with `writeOnly`. Python workers open none. */
export function secretNamesOf(type: Pick<TaskType, 'schema' | 'runtime'> | undefined): string[] {
  if (type?.runtime !== 'typescript') return [];
  const properties = (type.schema?.properties ?? {}) as Record<string, { writeOnly?: unknown } | boolean>;
  return Object.entries(properties).flatMap(([name, property]) =>
    typeof property === 'object' && property.writeOnly === true ? [name] : [],
  );
}

/** Seals the secret arguments of a task. @param places of the arguments by their names: `args.0`, `kwargs.token`. */
export function sealSecrets(
  box: SecretBox,
  taskId: string,
  names: readonly string[],
  places: BoundArguments['places'],
  given: Arguments,
): Arguments {
  const secret = new Set(names.map((name) => places.get(name)));
  return eachPlace(given, (place, value) =>
    secret.has(place) ? { $secret: box.seal(JSON.stringify(value), aboutOf(taskId, place)) } : value,
  );
}

/** Returns arguments as they were given. @throws as {@link SecretBox.open} does. */
export function openSecrets(box: SecretBox, taskId: string, kept: Arguments): Arguments {
  return eachPlace(kept, (place, value) =>
    isSealed(value) ? JSON.parse(box.open(value.$secret, aboutOf(taskId, place))) : value,
  );
}

/** Says whether any of the arguments is sealed. */
export function hasSecrets({ args, kwargs }: Arguments): boolean {
  return [...args, ...Object.values(kwargs)].some(isSealed);
}

/** Returns arguments by name for a fingerprint, with a digest in place of each secret. */
export function withoutSecrets(
  box: SecretBox,
  names: readonly string[],
  given: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const secret = new Set(names);
  return Object.fromEntries(
    Object.entries(given).map(([name, value]) => [name, secret.has(name) ? box.digest(canonicalJson(value)) : value]),
  );
}

function eachPlace({ args, kwargs }: Arguments, change: (place: string, value: unknown) => unknown): Arguments {
  return {
    args: args.map((value, index) => change(`args.${index}`, value)),
    kwargs: Object.fromEntries(Object.entries(kwargs).map(([name, value]) => [name, change(`kwargs.${name}`, value)])),
  };
}

function aboutOf(taskId: string, place: string): string {
  return `task ${taskId} ${place}`;
}

function isSealed(value: unknown): value is Sealed {
  if (typeof value !== 'object' || value === null) return false;
  return Object.keys(value).length === 1 && typeof (value as Partial<Sealed>).$secret === 'string';
}
