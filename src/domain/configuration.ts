import { GITHUB_LIMITS, type TriggerBody } from '../contracts/build.ts';
import type { BuildConfiguration } from '../contracts/configuration.ts';
import type { BuildRequest } from '../contracts/event.ts';

/** Configuration 1, as the environment describes it. */
export function environmentConfiguration(repository: string, workflow: string): BuildConfiguration['definition'] {
  return {
    repository,
    workflow,
    default_ref: 'main',
    inputs: {},
    mapping: { image_type: 'image_type', fedora_version: 'fedora_version' },
  };
}

/** The dispatch that a request asks for: defaults filled in, fields mapped to inputs, every value a string as GitHub wants. */
export function resolveRequest({ definition }: BuildConfiguration, body: TriggerBody): BuildRequest {
  const { mapping } = definition;
  const inputs: Record<string, string> = { ...definition.inputs };
  if (body.image_type !== undefined) inputs[mapping.image_type] = body.image_type;
  if (body.fedora_version !== undefined) inputs[mapping.fedora_version] = body.fedora_version;
  for (const [name, value] of Object.entries(body.inputs ?? {})) inputs[name] = String(value);
  return {
    repository: definition.repository,
    workflow: definition.workflow,
    ref: body.ref ?? definition.default_ref,
    inputs,
  };
}

/**
 * What GitHub would refuse about the inputs, counting the correlation input that is added at dispatch; undefined if
 * nothing. Limits: contracts/build.ts.
 */
export function inputsFault(inputs: Record<string, string>, correlationInput: string): string | undefined {
  if (correlationInput !== '' && Object.hasOwn(inputs, correlationInput)) {
    return `the input ${correlationInput} is set by Hapax itself (GITHUB_CORRELATION_INPUT)`;
  }
  const sent = correlationInput === '' ? inputs : { ...inputs, [correlationInput]: 'x'.repeat(64) };
  const count = Object.keys(sent).length;
  if (count > GITHUB_LIMITS.inputs) {
    return `${count} inputs with the correlation input; GitHub takes ${GITHUB_LIMITS.inputs}`;
  }
  const size = JSON.stringify(sent).length;
  if (size > GITHUB_LIMITS.inputsJsonCharacters) {
    return `the inputs are ${size} characters of JSON; GitHub takes ${GITHUB_LIMITS.inputsJsonCharacters}`;
  }
  return undefined;
}
