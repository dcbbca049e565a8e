import { LIMITS } from '../../contracts/budgets.ts';
import type { TriggerBody } from '../../contracts/builds/build.ts';
import type { BuildPolicy } from '../../contracts/builds/build-workflow.ts';
import {
  type ConfigurationContent,
  type ConfigurationDefinition,
  FIXED_FIELDS,
} from '../../contracts/builds/configuration.ts';
import type { BuildRequest } from '../../contracts/builds/event.ts';
import { durationMs } from '../../contracts/duration.ts';
import type { Settings } from '../../contracts/settings.ts';
import { yamlInputs } from '../yaml-input.ts';
import { branchName } from './concurrency-group.ts';

/** Returns the definition that a body describes, with defaults filled in and every value a string, as GitHub wants. */
export function definitionOf(content: ConfigurationContent): ConfigurationDefinition {
  return {
    forge: content.forge ?? 'github',
    api_url: content.api_url?.replace(/\/+$/, '') ?? null,
    credential: content.credential ?? null,
    repository: content.repository,
    workflow: content.workflow.replace(/^\.github\/workflows\//, ''),
    default_ref: content.default_ref ?? 'main',
    inputs: asStrings(content.inputs),
    constants: asStrings(content.constants),
    templates: { ...content.templates },
    yaml: [...new Set(content.yaml)],
    mapping: { ...Object.fromEntries(FIXED_FIELDS.map((field) => [field, field])), ...content.mapping },
    deadline: content.deadline ?? null,
    concurrency: content.concurrency ?? 'allow',
    callback_url: content.callback_url ?? null,
    dispatch: content.dispatch ?? null,
  };
}

/**
 * Says whether the request that triggers a build sends its dispatch. Builds that take turns cannot: their workflow waits for the
 * others.
 */
export function isDirect({ dispatch, concurrency }: ConfigurationDefinition, queueEnabled: boolean): boolean {
  return concurrency === 'allow' && (dispatch ?? (queueEnabled ? 'queue' : 'direct')) === 'direct';
}

/** Returns configuration 1, as the environment describes it. */
export function environmentConfiguration(repository: string, workflow: string): ConfigurationDefinition {
  return definitionOf({ repository, workflow });
}

/** A fault in a definition. */
export interface DefinitionFault {
  path: string;
  message: string;
}

/**
 * Returns the reasons why no build could sensibly be made from a definition; empty if there are none. Each input must be set in one
 * place, except that a field may replace a default. A template must use only known fields.
 */
export function definitionFaults(definition: ConfigurationDefinition, correlationInput: string): DefinitionFault[] {
  const faults = [
    ...placeFaults(definition, correlationInput),
    ...mappingFaults(definition, correlationInput),
    ...templateFaults(definition),
    ...yamlFaults(definition, correlationInput),
    ...dispatchFaults(definition),
  ];
  if (faults.length > 0) return faults;
  const { inputs, constants, templates } = definition;
  const fault = inputsFault({ ...inputs, ...constants, ...templates }, correlationInput);
  return fault === undefined ? [] : [{ path: 'inputs', message: fault }];
}

function dispatchFaults({ dispatch, concurrency }: ConfigurationDefinition): DefinitionFault[] {
  if (dispatch === null || dispatch === 'queue' || concurrency === 'allow') return [];
  return [{ path: 'dispatch', message: `${dispatch} needs the concurrency allow, and it is ${concurrency}` }];
}

/** Finds inputs that are set in two places, or that only Hapax may set. */
function placeFaults(
  { inputs, constants, templates }: ConfigurationDefinition,
  correlationInput: string,
): DefinitionFault[] {
  const faults: DefinitionFault[] = [];
  const setIn = new Map<string, string>();
  for (const [place, values] of Object.entries({ inputs, constants, templates })) {
    for (const name of Object.keys(values)) {
      const path = `${place}.${name}`;
      const other = setIn.get(name);
      if (other) faults.push({ path, message: `is in ${other} too` });
      else setIn.set(name, place);
      if (name === correlationInput) faults.push({ path, message: SET_BY_HAPAX });
    }
  }
  return faults;
}

/** Finds fields that are mapped to an input that something else sets. */
function mappingFaults(definition: ConfigurationDefinition, correlationInput: string): DefinitionFault[] {
  const faults: DefinitionFault[] = [];
  const mappedFrom = new Map<string, string>();
  for (const [field, input] of Object.entries(definition.mapping)) {
    if (input === null) continue;
    const path = `mapping.${field}`;
    const other = mappedFrom.get(input);
    if (other) faults.push({ path, message: `goes to the input ${input}, as ${other} does` });
    mappedFrom.set(input, field);
    if (input === correlationInput) faults.push({ path, message: SET_BY_HAPAX });
    for (const place of ['constants', 'templates'] as const) {
      if (!Object.hasOwn(definition[place], input)) continue;
      const message = `goes to the input ${input}, which is in ${place}; map it to null or another input`;
      faults.push({ path, message });
    }
  }
  return faults;
}

/** Finds templates that do not parse or that use undeclared fields. */
function templateFaults({ templates, mapping }: ConfigurationDefinition): DefinitionFault[] {
  const faults: DefinitionFault[] = [];
  for (const [name, template] of Object.entries(templates)) {
    const path = `templates.${name}`;
    if (template.replaceAll(PLACEHOLDER, '').includes('{{')) {
      faults.push({ path, message: 'has {{ without a field; write {{field}}' });
    }
    for (const field of placeholdersOf(template)) {
      if (field === 'ref' || Object.hasOwn(mapping, field)) continue;
      faults.push({ path, message: `uses {{${field}}}, which is neither ref nor a field of the mapping` });
    }
  }
  return faults;
}

/** Finds values of YAML inputs that are not YAML. */
function yamlFaults(definition: ConfigurationDefinition, correlationInput: string): DefinitionFault[] {
  const documents = Object.fromEntries(
    (['inputs', 'constants'] as const).flatMap((place) =>
      definition.yaml
        .filter((name) => Object.hasOwn(definition[place], name))
        .map((name) => [`${place}.${name}`, definition[place][name] as string]),
    ),
  );
  const faults = yamlInputs(documents).faults.map(({ name, fault }) => ({
    path: name,
    message: `is not a YAML document: ${fault}`,
  }));
  if (definition.yaml.includes(correlationInput)) {
    faults.push({ path: 'yaml', message: `${correlationInput} ${SET_BY_HAPAX}` });
  }
  return faults;
}

/** The outcome of resolving a request: a dispatch, or a problem by its code. */
export type Resolution =
  | { kind: 'resolved'; request: BuildRequest }
  | { kind: 'missing_field' | 'unprocessable_inputs'; detail: string };

/**
 * Returns the dispatch that a request asks for. In this order, it maps fields to inputs, adds constants, fills in templates, and
 * brings YAML into its safe form. It never reads the value of a field as a template.
 * @param ref the branch or tag; a branch by its short name, so that `refs/heads/main` and `main` ask for the same.
 */
export function resolveRequest(
  definition: ConfigurationDefinition,
  body: TriggerBody,
  ref: string = branchName(refOf(definition, body)),
): Resolution {
  const { repository, workflow, mapping, constants, templates, dispatch } = definition;
  const fields = fieldsOf(body);
  const inputs: Record<string, string> = { ...definition.inputs };
  const setBy = new Map<string, string>();
  for (const [field, value] of fields) {
    const input = inputOf(mapping, field);
    if (input === null) continue;
    if (Object.hasOwn(constants, input) || Object.hasOwn(templates, input)) {
      return {
        kind: 'unprocessable_inputs',
        detail: `the configuration sets the input ${input}, so a request may not`,
      };
    }
    const other = setBy.get(input);
    if (other) return { kind: 'unprocessable_inputs', detail: `${other} and ${field} both set the input ${input}` };
    setBy.set(input, field);
    inputs[input] = value;
  }
  const fieldValue = (field: string) => {
    if (field === 'ref') return ref;
    const input = inputOf(mapping, field);
    return fields.get(field) ?? (input !== null && Object.hasOwn(definition.inputs, input) ? inputs[input] : undefined);
  };
  Object.assign(inputs, constants);
  for (const [input, template] of Object.entries(templates)) {
    const missing = placeholdersOf(template).filter((field) => fieldValue(field) === undefined);
    if (missing.length > 0) {
      return {
        kind: 'missing_field',
        detail: `the input ${input} is made from ${missing.join(' and ')}; send it`,
      };
    }
    // Checked before expanding: a template of 64 KB that names one long field a thousand times would become gigabytes.
    const length = expandedLength(template, (field) => fieldValue(field) as string);
    if (length > LIMITS.builds.inputsJsonCharacters) {
      const most = LIMITS.builds.inputsJsonCharacters;
      const detail = `the input ${input} would have ${length} characters; GitHub takes ${most} in all`;
      return { kind: 'unprocessable_inputs', detail };
    }
    inputs[input] = template.replaceAll(PLACEHOLDER, (_, field: string) => fieldValue(field) as string);
  }
  const documents = Object.fromEntries(
    definition.yaml.filter((input) => Object.hasOwn(inputs, input)).map((input) => [input, inputs[input] as string]),
  );
  const {
    texts,
    faults: [fault],
  } = yamlInputs(documents);
  if (fault) {
    const detail = `the input ${fault.name} is not a YAML document: ${fault.fault}`;
    return { kind: 'unprocessable_inputs', detail };
  }
  Object.assign(inputs, texts);
  const shadow = dispatch === 'shadow' ? ({ shadow: true } as const) : {};
  return { kind: 'resolved', request: { repository, workflow, ref, inputs, ...shadow } };
}

/**
 * Returns the reason why GitHub would refuse the inputs, including the correlation input that is added at dispatch; undefined if it
 * would not. The limits are in contracts/budgets.ts.
 */
export function inputsFault(inputs: Record<string, string>, correlationInput: string): string | undefined {
  if (correlationInput !== '' && Object.hasOwn(inputs, correlationInput)) {
    return `the input ${correlationInput} ${SET_BY_HAPAX}`;
  }
  const sent = correlationInput === '' ? inputs : { ...inputs, [correlationInput]: 'x'.repeat(64) };
  const count = Object.keys(sent).length;
  if (count > LIMITS.builds.inputs) {
    return `${count} inputs with the correlation input; GitHub takes ${LIMITS.builds.inputs}`;
  }
  const size = JSON.stringify(sent).length;
  if (size > LIMITS.builds.inputsJsonCharacters) {
    return `the inputs are ${size} characters of JSON; GitHub takes ${LIMITS.builds.inputsJsonCharacters}`;
  }
  return undefined;
}

const SET_BY_HAPAX = 'is set by Hapax itself (GITHUB_CORRELATION_INPUT)';
const PLACEHOLDER = /\{\{\s*([A-Za-z_][A-Za-z0-9_-]*)\s*\}\}/g;

/** Returns the ref that a request asks for, as written. */
export function refOf(definition: ConfigurationDefinition, body: TriggerBody): string {
  return body.ref ?? definition.default_ref;
}

/** Returns the length of a template with its fields filled in. */
function expandedLength(template: string, fieldValue: (field: string) => string): number {
  let length = template.length;
  for (const [placeholder, field] of template.matchAll(PLACEHOLDER)) {
    length += fieldValue(field as string).length - placeholder.length;
  }
  return length;
}

function placeholdersOf(template: string): string[] {
  return [...new Set([...template.matchAll(PLACEHOLDER)].map((match) => match[1] as string))];
}

/** Returns everything that a request carries, by field name. */
function fieldsOf(body: TriggerBody): Map<string, string> {
  const fields = new Map<string, string>();
  for (const name of FIXED_FIELDS) {
    const value = body[name];
    if (value !== undefined) fields.set(name, value);
  }
  for (const [name, value] of Object.entries(body.inputs ?? {})) fields.set(name, String(value));
  return fields;
}

function inputOf(mapping: ConfigurationDefinition['mapping'], field: string): string | null {
  return Object.hasOwn(mapping, field) ? (mapping[field] ?? null) : field;
}

function asStrings(values: ConfigurationContent['inputs']): Record<string, string> {
  return Object.fromEntries(Object.entries(values ?? {}).map(([name, value]) => [name, String(value)]));
}

/** Returns the policy of builds that the settings define. */
export function policyOf(settings: Settings): BuildPolicy {
  return {
    correlation_input: settings.GITHUB_CORRELATION_INPUT,
    reconcile_window_ms: settings.RECONCILE_WINDOW,
    deadline_ms: settings.BUILD_DEADLINE,
    max_retries: settings.QUEUE_MAX_RETRIES,
    retry_delay_ms: settings.QUEUE_RETRY_DELAY,
    poll_interval_ms: settings.GITHUB_POLL_INTERVAL,
    request_timeout_ms: settings.GITHUB_REQUEST_TIMEOUT,
  };
}

/** Returns the policy for a configuration: the given one, with the configuration's own deadline if it has one. */
export function policyUnder({ deadline }: ConfigurationDefinition, policy: BuildPolicy): BuildPolicy {
  const deadlineMs = deadline === null ? undefined : durationMs(deadline);
  return deadlineMs === undefined ? policy : { ...policy, deadline_ms: deadlineMs };
}
