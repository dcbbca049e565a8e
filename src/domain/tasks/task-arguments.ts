import { z } from 'zod';
import type { BuiltInTask } from '../../contracts/tasks/task-queues.ts';
import type { TaskParameter, TaskType } from '../../contracts/tasks/task-type.ts';
import { readArguments } from './task-request.ts';

/** A fault of an argument, with its place: `args.0`, `kwargs.url`. */
export interface ArgumentFault {
  path: string;
  message: string;
}

/** Arguments bound to a function: each at its parameter, and those that the function takes beyond its parameters. */
export interface BoundArguments {
  named: Record<string, unknown>;
  /** Further positional arguments. */
  rest: unknown[];
  /** The place that each came from. */
  places: ReadonlyMap<string, string>;
}

/** Binds arguments to the parameters of a function, as Python does. */
export function bindArguments(
  parameters: readonly TaskParameter[],
  args: readonly unknown[],
  kwargs: Readonly<Record<string, unknown>>,
): BoundArguments | { faults: ArgumentFault[] } {
  const positional = parameters.filter(({ kind }) => kind === 'positional_only' || kind === 'positional_or_keyword');
  const takesMore = parameters.some(({ kind }) => kind === 'var_positional');
  const takesAny = parameters.some(({ kind }) => kind === 'var_keyword');
  const named = new Map<string, unknown>();
  const places = new Map<string, string>();
  const faults: ArgumentFault[] = [];
  for (const [index, value] of args.entries()) {
    const parameter = positional[index];
    if (!parameter) break;
    named.set(parameter.name, value);
    places.set(parameter.name, `args.${index}`);
  }
  if (args.length > positional.length && !takesMore) {
    const names = positional.map(({ name }) => name).join(', ');
    faults.push({ path: 'args', message: `it takes ${positional.length} positional arguments: ${names || 'none'}` });
  }
  for (const [name, value] of Object.entries(kwargs)) {
    const path = `kwargs.${name}`;
    const parameter = parameters.find((one) => one.name === name);
    const isNamed = parameter?.kind === 'positional_or_keyword' || parameter?.kind === 'keyword_only';
    if (!isNamed && !takesAny) {
      faults.push({ path, message: parameter ? 'can only be given by position' : 'is no argument of this task' });
    } else if (isNamed && named.has(name)) {
      faults.push({ path, message: 'is also given by position' });
    } else {
      named.set(name, value);
      places.set(name, path);
    }
  }
  for (const { name, required } of parameters) {
    if (required && !named.has(name)) faults.push({ path: `kwargs.${name}`, message: 'is missing' });
  }
  if (faults.length > 0) return { faults };
  return { named: Object.fromEntries(named), rest: args.slice(positional.length), places };
}

export type ReadTyped = { given: Record<string, unknown> } | { faults: ArgumentFault[] };

/**
 * Reads arguments by the signature of a type.
 * @returns the arguments by name, or as they came if the type does not name them; or each fault with its place.
 */
export function readTypedArguments(
  type: TaskType,
  args: readonly unknown[],
  kwargs: Readonly<Record<string, unknown>>,
): ReadTyped {
  if (type.runtime === 'built-in') {
    const read = readArguments(type.name as BuiltInTask, args, kwargs);
    return 'faults' in read ? read : { given: read.arguments };
  }
  if (type.parameters === null) return { given: { args, kwargs } };
  const bound = bindArguments(type.parameters, args, kwargs);
  if ('faults' in bound) return bound;
  const { whole, each } = validatorsOf(type);
  const faults = [...each].flatMap(([name, validator]) =>
    Object.hasOwn(bound.named, name) ? faultsOf(validator, bound.named[name], () => bound.places.get(name)!) : [],
  );
  if (whole) {
    const placeOf = (name: string) => bound.places.get(name) ?? `kwargs.${name}`;
    faults.push(...faultsOf(whole, bound.named, (path) => placeOf(String(path.shift() ?? ''))));
  }
  if (faults.length > 0) return { faults };
  return { given: bound.rest.length === 0 ? bound.named : { ...bound.named, '*': bound.rest } };
}

interface Validators {
  whole: z.ZodType | undefined;
  each: ReadonlyArray<readonly [string, z.ZodType]>;
}

/** Validators by the version of their type. Compiling takes a millisecond once, checking microseconds. */
const compiled = new Map<string, Validators>();
/** More types than one installation has in force. */
const MOST_COMPILED = 2_000;

function validatorsOf({ version, parameters, schema }: TaskType): Validators {
  const known = compiled.get(version);
  if (known) return known;
  const validators = {
    whole: compile(schema ?? undefined),
    each: (parameters ?? []).flatMap(({ name, schema }) => {
      const validator = compile(schema);
      return validator ? [[name, validator] as const] : [];
    }),
  };
  if (compiled.size >= MOST_COMPILED) compiled.clear();
  compiled.set(version, validators);
  return validators;
}

/** Compiles a schema; undefined if it has words that zod does not know. The worker that runs the task checks the arguments again. */
function compile(schema: Record<string, unknown> | undefined): z.ZodType | undefined {
  if (!schema) return undefined;
  try {
    return z.fromJSONSchema(schema as z.core.JSONSchema.BaseSchema, { registry: z.registry() });
  } catch {
    return undefined;
  }
}

/** Checks a value. @param placeOf returns the place of a fault, and removes from its path the keys that the place names. */
function faultsOf(validator: z.ZodType, value: unknown, placeOf: (path: PropertyKey[]) => string): ArgumentFault[] {
  const { error } = validator.safeParse(value);
  return (error?.issues ?? []).map(({ path, message }) => {
    const below = [...path];
    return { path: [placeOf(below), ...below].join('.'), message };
  });
}
