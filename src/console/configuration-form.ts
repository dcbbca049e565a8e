import { z } from 'zod';
import { Refusal } from '../commands/refusal.ts';
import { triggerBody } from '../contracts/builds/build.ts';
import {
  type BuildConfiguration,
  type ConfigurationContent,
  configurationBody,
} from '../contracts/builds/configuration.ts';
import { definitionFaults, definitionOf, inputsFault, resolveRequest } from '../domain/builds/configuration.ts';
import { valid } from './queries.ts';

export type Form = Readonly<Record<string, string>>;

/** Fields that people write as JSON objects. */
export const MAPS = ['mapping', 'inputs', 'constants', 'templates'] as const;

/** Fields that are left out if they are empty. */
const OPTIONAL = ['forge', 'api_url', 'credential', 'default_ref', 'deadline', 'callback_url', 'dispatch'] as const;

const EXAMPLE = JSON.stringify({ ref: 'main', image_type: 'silverblue', fedora_version: '43' }, undefined, 2);

/** The form for a new configuration. */
export const NEW_FORM: Form = {
  ...{
    name: '',
    forge: 'github',
    api_url: '',
    credential: '',
    repository: '',
    workflow: '',
    default_ref: 'main',
    concurrency: 'allow',
    deadline: '',
    callback_url: '',
    dispatch: '',
  },
  ...{ yaml: '', mapping: '{}', inputs: '{}', constants: '{}', templates: '{}', example: EXAMPLE },
};

/** Returns the form with the current content of a configuration. */
export function formOfConfiguration({ name, version, definition }: BuildConfiguration): Form {
  const { repository, workflow, concurrency, yaml } = definition;
  const maps = MAPS.map((map) => [map, JSON.stringify(definition[map], undefined, 2)]);
  const optional = OPTIONAL.map((field) => [field, definition[field] ?? '']);
  return {
    ...{ name, version: String(version), repository, workflow, concurrency, yaml: yaml.join(', ') },
    ...Object.fromEntries([...maps, ...optional]),
    example: EXAMPLE,
  };
}

/** Returns the content of a form. @throws {Refusal} if it is not valid, with the place of every fault. */
export function contentOf(form: Form): ConfigurationContent & { name: string } {
  const { name, repository, workflow, concurrency, yaml = '' } = form;
  const maps = MAPS.map((map) => [map, readMap(map, form[map] ?? '')]);
  const optional = OPTIONAL.flatMap((field) => (form[field] ? [[field, form[field]]] : []));
  return valid(configurationBody, {
    ...{ name, repository, workflow, concurrency },
    yaml: yaml.split(',').flatMap((input) => input.trim() || []),
    ...Object.fromEntries([...maps, ...optional]),
  });
}

function readMap(place: string, text: string): unknown {
  if (text.trim() === '') return {};
  try {
    return JSON.parse(text);
  } catch (error) {
    const message = `is not JSON: ${(error as Error).message}`;
    throw new Refusal('invalid_request', { detail: `${place}: ${message}`, errors: [{ path: place, message }] });
  }
}

/** The dispatch that a form's example would cause, or the faults for which it would be refused. */
export type Preview = { inputs: Record<string, string>; ref: string } | { faults: string[] };

export function previewOf(form: Form, correlationInput: string): Preview | undefined {
  if (!form.repository && !form.workflow) return undefined;
  try {
    const { name: _, ...content } = contentOf({ ...form, name: form.name || 'example' });
    const definition = definitionOf(content);
    const faults = definitionFaults(definition, correlationInput);
    if (faults.length > 0) return { faults: faults.map(({ path, message }) => `${path} ${message}`) };
    const body = valid(triggerBody, z.record(z.string(), z.unknown()).parse(readMap('example', form.example ?? '')));
    const resolution = resolveRequest(definition, body);
    if (resolution.kind !== 'resolved') return { faults: [resolution.detail] };
    const { inputs, ref } = resolution.request;
    const fault = inputsFault(inputs, correlationInput);
    return fault === undefined ? { inputs, ref } : { faults: [fault] };
  } catch (error) {
    if (error instanceof z.ZodError) return { faults: ['example must be an object: {"field": value}'] };
    if (!(error instanceof Refusal)) throw error;
    return { faults: error.errors?.map(({ path, message }) => `${path} ${message}`) ?? [error.message] };
  }
}
