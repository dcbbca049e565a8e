import type { TriggerBody } from '../contracts/builds/build.ts';
import { triggerBody } from '../contracts/builds/build.ts';
import { type BuildConfiguration, FIXED_FIELDS } from '../contracts/builds/configuration.ts';
import { shellWord } from './parts/copyable.ts';
import { valid } from './queries.ts';

/** Prefix of the form fields that stand for fields of a request. The form has other fields too. */
export const FIELD = 'field.';

/** A field of a request in the form. */
export interface AskedField {
  name: string;
  /** Its value if nobody enters one. */
  preset: string;
  /** Whether its value may have several lines. */
  long: boolean;
}

const TEMPLATE_FIELD = /\{\{\s*([A-Za-z_][A-Za-z0-9_-]*)\s*\}\}/g;

/**
 * Returns the fields that a trigger of a configuration can have, from its mapping, defaults and templates. It leaves out what the
 * configuration sets itself, and what has no effect.
 */
export function askedFields({ definition }: Pick<BuildConfiguration, 'definition'>): AskedField[] {
  const { mapping, inputs, constants, templates, yaml } = definition;
  const used = new Set(
    Object.values(templates).flatMap((text) => [...text.matchAll(TEMPLATE_FIELD)].map(([, name]) => name)),
  );
  const mapped = new Set(Object.values(mapping));
  const names = [
    ...new Set([...FIXED_FIELDS, ...Object.keys(mapping), ...Object.keys(inputs).filter((name) => !mapped.has(name))]),
  ];
  return names.flatMap((name) => {
    const input = Object.hasOwn(mapping, name) ? mapping[name] : name;
    if (input === null && !used.has(name)) return [];
    if (!input) return [{ name, preset: '', long: false }];
    if (Object.hasOwn(constants, input) || Object.hasOwn(templates, input)) return [];
    const preset = inputs[input] ?? '';
    return [{ name, preset, long: yaml.includes(input) || preset.includes('\n') }];
  });
}

/** Returns the request in a form. @throws {Refusal} if it is not valid, with the place of every fault. */
export function requestOf(config: number, form: Readonly<Record<string, string>>): TriggerBody {
  const fields = Object.entries(form).flatMap(([name, value]) =>
    // Browsers send every line break as CRLF.
    name.startsWith(FIELD) && value !== '' ? [[name.slice(FIELD.length), value.replaceAll('\r\n', '\n')] as const] : [],
  );
  const fixed = fields.filter(([name]) => (FIXED_FIELDS as readonly string[]).includes(name));
  const others = fields.filter(([name]) => !(FIXED_FIELDS as readonly string[]).includes(name));
  const inputs = Object.fromEntries([...others, ...linesOf(form.more ?? '')]);
  const { ref, priority, callback_url } = form;
  return valid(triggerBody, {
    config_id: config,
    ...(ref ? { ref } : {}),
    ...Object.fromEntries(fixed),
    ...(Object.keys(inputs).length > 0 ? { inputs } : {}),
    ...(priority && priority !== '3' ? { priority: Number(priority) } : {}),
    ...(callback_url ? { callback_url } : {}),
  });
}

/** Reads lines `name=value`. */
function linesOf(text: string): Array<readonly [name: string, value: string]> {
  return text.split(/\r?\n/).flatMap((line) => {
    const at = line.indexOf('=');
    return line.trim() === ''
      ? []
      : [[(at === -1 ? line : line.slice(0, at)).trim(), at === -1 ? '' : line.slice(at + 1)] as const];
  });
}

/** Returns the same request as a curl command. @param keyed whether the API needs a key. */
export function curlOf(origin: string, body: TriggerBody, key: string | undefined, keyed: boolean): string {
  return [
    `curl ${shellWord(`${origin}/builds/trigger`)}`,
    `-H 'Content-Type: application/json'`,
    ...(keyed ? ['-H "Authorization: Bearer $HAPAX_API_KEY"'] : []),
    ...(key ? [`-H ${shellWord(`Idempotency-Key: ${key}`)}`] : []),
    `-d ${shellWord(JSON.stringify(body))}`,
  ].join(' \\\n  ');
}

/** Returns the same request as a Hapax command. */
export function commandOf(configuration: string, body: TriggerBody, key: string | undefined): string {
  const { ref, image_type, fedora_version, inputs = {}, priority, callback_url } = body;
  const options: Array<[name: string, value: string | number | undefined]> = [
    ['--config', configuration],
    ['--ref', ref],
    ['--image-type', image_type],
    ['--fedora-version', fedora_version],
    ...Object.entries(inputs).map(([name, value]) => ['--input', `${name}=${value}`] as [string, string]),
    ['--priority', priority],
    ['--callback-url', callback_url],
    ['--idempotency-key', key],
  ];
  const words = options.flatMap(([name, value]) =>
    value === undefined ? [] : [`${name} ${shellWord(String(value))}`],
  );
  return ['hapax trigger --watch', ...words].join(' ');
}
