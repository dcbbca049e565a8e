import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { TriggerBody } from '../../src/contracts/builds/build.ts';
import { type ConfigurationContent, configurationContent } from '../../src/contracts/builds/configuration.ts';
import {
  definitionFaults,
  definitionOf,
  environmentConfiguration,
  isDirect,
  policyUnder,
  resolveRequest,
} from '../../src/domain/builds/configuration.ts';

const base = { repository: 'acme/images', workflow: 'build.yml' };
const define = (content: Partial<ConfigurationContent> = {}) => definitionOf({ ...base, ...content });
const faultsOf = (content: Partial<ConfigurationContent>) =>
  definitionFaults(define(content), 'hapax_id').map(({ path }) => path);
function inputsOf(content: Partial<ConfigurationContent>, body: TriggerBody) {
  const resolution = resolveRequest(define(content), body);
  return resolution.kind === 'resolved' ? resolution.request.inputs : resolution;
}

const name = fc.stringMatching(/^[A-Za-z_][A-Za-z0-9_-]{0,20}$/).filter((one) => one !== '__proto__');
const awkwardName = fc.oneof(name, fc.constantFrom('constructor', 'toString', 'hasOwnProperty', 'valueOf'));
/** An expression of GitHub's and what String.replace reads as more than text, among others. */
const awkwardText = fc.oneof(
  fc.string(),
  fc.constantFrom('{{ref}}', '{{image_type}}', '$&', '$1', '}}{{', `$${'{{ github.token }}'}`, '\nEOF\n'),
);

describe('a build configuration', () => {
  it('fills in what its body leaves out, and makes every value a string', () => {
    expect(define({ inputs: { n: 1, yes: true }, constants: { c: false } })).toEqual({
      ...base,
      forge: 'github',
      api_url: null,
      credential: null,
      default_ref: 'main',
      inputs: { n: '1', yes: 'true' },
      constants: { c: 'false' },
      templates: {},
      yaml: [],
      mapping: { image_type: 'image_type', fedora_version: 'fedora_version' },
      deadline: null,
      concurrency: 'allow',
      callback_url: null,
      dispatch: null,
    });
    expect(environmentConfiguration(base.repository, base.workflow)).toEqual(define());
  });

  it('is dispatched directly where it says so, or where it says nothing and QUEUE_ENABLED is false; never where builds take turns', () => {
    expect(isDirect(define(), true)).toBe(false);
    expect(isDirect(define(), false)).toBe(true);
    expect(isDirect(define({ dispatch: 'direct' }), true)).toBe(true);
    expect(isDirect(define({ dispatch: 'queue' }), false)).toBe(false);
    expect(isDirect(define({ concurrency: 'queue' }), false)).toBe(false);
    expect(definitionFaults(define({ concurrency: 'queue', dispatch: 'direct' }), '')).toEqual([
      { path: 'dispatch', message: 'direct needs the concurrency allow, and it is queue' },
    ]);
  });

  it('makes no input from a template that would be longer than GitHub takes', () => {
    const template = '{{a}}'.repeat(13_000);
    const definition = define({ templates: { t: template }, mapping: { a: null } });
    const { heapUsed } = process.memoryUsage();
    const resolved = resolveRequest(definition, { inputs: { a: 'x'.repeat(65_000) } });
    expect(resolved).toEqual({
      kind: 'unprocessable_inputs',
      detail: 'the input t would have 845000000 characters; GitHub takes 65535 in all',
    });
    expect(process.memoryUsage().heapUsed - heapUsed).toBeLessThan(50_000_000);
    expect(resolveRequest(definition, { inputs: { a: 'x' } })).toMatchObject({ kind: 'resolved' });
  });

  it('passes every field to the input of its own name where nothing is mapped', () => {
    fc.assert(
      fc.property(fc.dictionary(awkwardName, awkwardText, { noNullPrototype: true }), awkwardText, (inputs, type) => {
        expect(inputsOf({}, { image_type: type, inputs })).toEqual({ image_type: type, ...inputs });
      }),
    );
  });

  it('sets an input to what its field carries, else to the default; a field mapped to null sets nothing', () => {
    fc.assert(
      fc.property(name, awkwardName, awkwardText, awkwardText, (field, input, standard, value) => {
        fc.pre(!['ref', 'image_type', 'fedora_version'].includes(field));
        fc.pre(!['image_type', 'fedora_version'].includes(input));
        const content = { inputs: { [input]: standard }, mapping: { [field]: input } };
        expect(inputsOf(content, {})).toEqual({ [input]: standard });
        expect(inputsOf(content, { inputs: { [field]: value } })).toEqual({ [input]: value });
        expect(inputsOf({ mapping: { [field]: null } }, { inputs: { [field]: value } })).toEqual({});
      }),
    );
  });

  it('fills in templates once: what a field carries is never read as a template', () => {
    fc.assert(
      fc.property(awkwardText, awkwardText, awkwardText, (type, version, ref) => {
        const templates = { image: 'a-{{fedora_version}}-{{ image_type }}', where: '{{ref}}{{ref}}' };
        const mapping = { image_type: null, fedora_version: null };
        const body = { image_type: type, fedora_version: version, ref };
        expect(inputsOf({ templates, mapping }, body)).toEqual({ image: `a-${version}-${type}`, where: ref + ref });
      }),
    );
  });

  it('fills in templates from fields of its own, from defaults of mapped inputs, and from the default ref', () => {
    const content = {
      default_ref: 'stable',
      inputs: { distro_version: '43' },
      mapping: { fedora_version: 'distro_version', image_type: null, desktop: null },
      templates: { image: 'fedora-{{fedora_version}}-{{desktop}}', source: '{{ref}}' },
    };
    expect(definitionFaults(define(content), 'hapax_id')).toEqual([]);
    const sway = { inputs: { desktop: 'sway' } };
    expect(inputsOf(content, sway)).toEqual({ distro_version: '43', image: 'fedora-43-sway', source: 'stable' });
    expect(inputsOf(content, { ...sway, fedora_version: '44', ref: 'v1' })).toEqual({
      distro_version: '44',
      image: 'fedora-44-sway',
      source: 'v1',
    });
  });

  it('names the fields that a template misses', () => {
    const content = { templates: { image: '{{fedora_version}}-{{image_type}}' } };
    expect(inputsOf(content, { image_type: 'x' })).toEqual({
      kind: 'missing_field',
      detail: 'the input image is made from fedora_version; send it',
    });
  });

  it('lets no request set what the configuration itself sets, nor one input twice', () => {
    const content = {
      constants: { channel: 'stable' },
      templates: { image: '{{ref}}' },
      mapping: { variant: 'distro' },
    };
    for (const inputs of [{ channel: 'x' }, { image: 'x' }, { variant: 'a', distro: 'b' }]) {
      expect(inputsOf(content, { inputs })).toMatchObject({ kind: 'unprocessable_inputs' });
    }
    expect(inputsOf(content, {})).toEqual({ channel: 'stable', image: 'main' });
  });

  it.each<[string, Partial<ConfigurationContent>, string[]]>([
    ['an input in two places', { inputs: { a: '1' }, constants: { a: '2' } }, ['constants.a']],
    ['a template that is a default too', { inputs: { a: '1' }, templates: { a: 'x' } }, ['templates.a']],
    ['two fields for one input', { mapping: { v: 'image_type' } }, ['mapping.v']],
    ['a field for a constant', { constants: { image_type: 'x' } }, ['mapping.image_type']],
    ['a field for a template', { templates: { image_type: '{{ref}}' } }, ['mapping.image_type']],
    ['an unknown placeholder', { templates: { a: '{{ref}}-{{nothing}}' } }, ['templates.a']],
    ['a name that objects inherit as placeholder', { templates: { a: '{{constructor}}' } }, ['templates.a']],
    ['a placeholder that is not closed', { templates: { a: '{{ref}' } }, ['templates.a']],
    ['an empty placeholder', { templates: { a: '{{}}' } }, ['templates.a']],
    ['our own input as default', { inputs: { hapax_id: 'x' } }, ['inputs.hapax_id']],
    ['our own input as template', { templates: { hapax_id: 'x' } }, ['templates.hapax_id']],
    ['our own input as target', { mapping: { v: 'hapax_id' } }, ['mapping.v']],
    ['more than GitHub takes', { constants: { a: 'x'.repeat(65_535) } }, ['inputs']],
  ])('with %s is refused', (_, content, paths) => {
    expect(faultsOf(content)).toEqual(paths);
  });

  it.each<[string, object]>([
    ['another kind of field', { nothing: 1 }],
    ['a concurrency policy, which does nothing yet', { concurrency: 'one' }],
    ['a repository without owner', { repository: 'images' }],
    ['a repository that climbs', { repository: 'acme/..' }],
    ['a workflow in a directory', { workflow: '../build.yml' }],
    ['a bad ref', { default_ref: 'a..b' }],
    ['ref as a mapped field', { mapping: { ref: 'branch' } }],
    ['no deadline', { deadline: 'soon' }],
    ['a deadline of nothing', { deadline: '0s' }],
    ['a deadline past GitHub’s', { deadline: '36d' }],
    ['half a surrogate pair', { templates: { a: '\ud800' } }],
    ['26 constants', { constants: Object.fromEntries(Array.from({ length: 26 }, (_, n) => [`c${n}`, ''])) }],
  ])('with %s does not parse', (_, change) => {
    expect(configurationContent.safeParse({ ...base, ...change }).success).toBe(false);
    expect(configurationContent.safeParse(base).success).toBe(true);
  });

  it('that is sound resolves every request that carries its fields, within its own inputs and those of the request', () => {
    const content = fc.record({
      inputs: fc.dictionary(name, fc.string(), { maxKeys: 3, noNullPrototype: true }),
      constants: fc.dictionary(name, fc.string(), { maxKeys: 3, noNullPrototype: true }),
      mapping: fc.dictionary(
        name.filter((one) => one !== 'ref'),
        fc.option(name),
        { maxKeys: 3, noNullPrototype: true },
      ),
    });
    fc.assert(
      fc.property(content, awkwardText, (given, value) => {
        const fields = Object.keys(given.mapping);
        const templates = { made: fields.map((field) => `{{${field}}}`).join('/') };
        const definition = define({ ...given, templates });
        fc.pre(definitionFaults(definition, 'hapax_id').length === 0);
        const body = { inputs: Object.fromEntries(fields.map((field) => [field, value])) };
        const resolution = resolveRequest(definition, body);
        expect(resolution).toMatchObject({
          kind: 'resolved',
          request: { inputs: { ...given.constants, made: fields.map(() => value).join('/') } },
        });
      }),
    );
  });

  it('overrides the deadline of the settings, or leaves it', () => {
    const policy = { deadline_ms: 5 } as Parameters<typeof policyUnder>[1];
    expect(policyUnder(define({ deadline: '90m' }), policy).deadline_ms).toBe(5_400_000);
    expect(policyUnder(define(), policy)).toBe(policy);
  });
});
