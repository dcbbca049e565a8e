import { type Refusal, refusal } from './answer.ts';
import type { Ledger } from './ledger.ts';
import type { NewRun, Run } from './run.ts';
import type { Settings } from './settings.ts';

/** A dispatch that GitHub would accept. */
export interface Dispatch {
  ref: string;
  inputs: Record<string, string>;
  wantsDetails: boolean;
}

const MAX_INPUTS = 25;
const MAX_INPUTS_CHARACTERS = 65_535;

/**
 * Reads the body of a dispatch as GitHub does.
 *
 * @param body the parsed JSON
 * @param file name of the workflow: `no-dispatch.yml` has no workflow_dispatch trigger, `disabled.yml` is disabled
 */
export function readDispatch(body: unknown, file: string, settings: Settings): Dispatch | Refusal {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) return invalid('the body is not an object.');
  const { ref, inputs = {}, return_run_details: wantsDetails, ...rest } = body as Record<string, unknown>;
  const unknown = Object.keys(rest)[0];
  if (wantsDetails !== undefined && !settings.knows_run_details) return unknownField('return_run_details');
  if (unknown !== undefined) return invalid(`"${unknown}" is not a permitted key.`);
  if (ref === undefined) return invalid('"ref" wasn\'t supplied.');
  if (typeof ref !== 'string') return invalid(`For 'properties/ref', ${JSON.stringify(ref)} is not a string.`);
  if (wantsDetails !== undefined && typeof wantsDetails !== 'boolean') {
    return invalid(`For 'properties/return_run_details', ${JSON.stringify(wantsDetails)} is not a boolean.`);
  }
  if (typeof inputs !== 'object' || inputs === null || Array.isArray(inputs)) {
    return invalid(`For 'properties/inputs', ${JSON.stringify(inputs)} is not an object.`);
  }
  const values = asStrings(inputs as Record<string, unknown>);
  if ('status' in values) return values as Refusal;

  if (file === 'no-dispatch.yml') return refusal(422, "Workflow does not have 'workflow_dispatch' trigger");
  if (file === 'disabled.yml') return refusal(422, "Cannot trigger a 'workflow_dispatch' on a disabled workflow");
  // GitHub takes no commits.
  if (/^([0-9a-f]{40})?$/.test(ref) || !refExists(ref, settings)) return refusal(422, `No ref found for: ${ref}`);
  return (
    refuseInputs(values.inputs, JSON.stringify(inputs).length, settings) ?? {
      ref: shortRef(ref),
      inputs: values.inputs,
      wantsDetails: wantsDetails === true,
    }
  );
}

/** Returns the refusal of an older GitHub that does not know a field. */
export function unknownField(name: string): Refusal {
  return refusal(400, `Invalid request.\n\n"${name}" is not a permitted key.`);
}

/**
 * Creates the run of a dispatch, without the inputs that its workflow does not declare. GitHub has refused these, others drop them
 * silently.
 *
 * @param titleOf returns the title; its parameter is the declared correlation token
 */
export function createRun(
  ledger: Ledger,
  settings: Settings,
  asked: Pick<NewRun, 'repository' | 'workflow' | 'ref' | 'inputs'>,
  titleOf: (token: string | undefined) => string,
): Run {
  const inputs = Object.fromEntries(Object.entries(asked.inputs).filter(([name]) => isDeclared(name, settings)));
  return ledger.create({
    ...asked,
    inputs,
    displayTitle: titleOf(inputs[settings.correlation_input]),
    event: 'workflow_dispatch',
    actor: 'octocat',
    token: asked.inputs[settings.correlation_input] ?? null,
  });
}

export function workflowExists(file: string, { workflows }: Settings): boolean {
  return workflows?.includes(file) ?? file !== 'missing.yml';
}

export function refExists(ref: string, { refs }: Settings): boolean {
  const short = shortRef(ref);
  return refs === null ? !short.startsWith('missing') : refs.map(shortRef).includes(short);
}

/** Returns undefined if the text is not JSON. */
export function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

function isDeclared(name: string, settings: Settings): boolean {
  if (name === settings.correlation_input) return settings.declares_correlation;
  return settings.declared_inputs?.includes(name) ?? true;
}

/** Returns a ref without `refs/heads/` or `refs/tags/`. */
export function shortRef(ref: string): string {
  return ref.replace(/^refs\/(heads|tags)\//, '');
}

function invalid(why: string): Refusal {
  return refusal(422, `Invalid request.\n\n${why}`);
}

/** Converts numbers and booleans to the strings that a workflow sees. Other types are refused. */
function asStrings(inputs: Record<string, unknown>): { inputs: Record<string, string> } | Refusal {
  const strings: Record<string, string> = {};
  for (const [name, value] of Object.entries(inputs)) {
    if (typeof value !== 'string' && typeof value !== 'number' && typeof value !== 'boolean') {
      return invalid(`For 'properties/${name}', ${JSON.stringify(value)} is not a string.`);
    }
    strings[name] = String(value);
  }
  return { inputs: strings };
}

function refuseInputs(inputs: Record<string, string>, characters: number, settings: Settings): Refusal | undefined {
  const names = Object.keys(inputs);
  if (names.length > MAX_INPUTS) {
    return refusal(422, `you may only define up to ${MAX_INPUTS} \`inputs\` for a \`workflow_dispatch\` event`);
  }
  if (characters > MAX_INPUTS_CHARACTERS) return refusal(422, 'inputs are too large.');
  const unexpected = names.filter((name) => !isDeclared(name, settings));
  if (unexpected.length > 0) return refusal(422, `Unexpected inputs provided: ${JSON.stringify(unexpected)}`);
  const absent = settings.required_inputs.find((name) => inputs[name] === undefined);
  if (absent !== undefined) return refusal(422, `Required input '${absent}' not provided`);
  return undefined;
}
