import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { contentOf, formOfConfiguration } from '../../src/console/configuration-form.ts';
import { ownPath } from '../../src/console/flash.ts';
import { retryQuestion } from '../../src/console/parts/build-operations.ts';
import { shellWord } from '../../src/console/parts/copyable.ts';
import { foldedJson } from '../../src/console/parts/folded-json.ts';
import { outsideLink } from '../../src/console/parts/outside-link.ts';
import { duration } from '../../src/console/parts/time.ts';
import { ageOfStep } from '../../src/console/parts/time-slider.ts';
import { triggerFields } from '../../src/console/parts/trigger-fields.ts';
import { askedFields, commandOf, curlOf, requestOf } from '../../src/console/trigger-form.ts';
import type { TriggerBody } from '../../src/contracts/builds/build.ts';
import type { BuildConfiguration, ConfigurationDefinition } from '../../src/contracts/builds/configuration.ts';
import { definitionOf } from '../../src/domain/builds/configuration.ts';
import { retryModes } from '../../src/domain/builds/retry-modes.ts';

/** The arguments that a shell makes of a command line, by the shell itself. */
function argumentsIn(line: string): string[] {
  const [program] = line.split(' ');
  const script = `${program}() { for word in "$@"; do printf '%s\\0' "$word"; done; }\n${line}`;
  return execFileSync('sh', ['-c', script], { encoding: 'utf8', env: { HAPAX_API_KEY: 'the key' } })
    .split('\0')
    .slice(0, -1);
}

describe('commands that people copy', () => {
  it('reach the program as they are meant, whatever is in them', () => {
    const texts = fc.string({ unit: 'grapheme', maxLength: 30 }).filter((text) => !text.includes('\0'));
    fc.assert(
      fc.property(texts, (text) => {
        expect(argumentsIn(`echoed ${shellWord(text)}`)).toEqual([text]);
      }),
      { numRuns: 40 },
    );
  });

  it('ask for the same as the form', () => {
    const body: TriggerBody = {
      config_id: 2,
      ref: "o'brien/fix",
      image_type: 'silver blue',
      inputs: { note: 'a "b" $(c)\n`d`' },
      priority: 1,
    };
    const curl = argumentsIn(curlOf('http://127.0.0.1:8000', body, 'my key', true));
    expect(curl[0]).toBe('http://127.0.0.1:8000/builds/trigger');
    expect(curl).toContain('Idempotency-Key: my key');
    expect(curl).toContain('Authorization: Bearer the key');
    expect(JSON.parse(curl.at(-1)!)).toEqual(body);
    expect(argumentsIn(commandOf('fedora', body, undefined))).toEqual(
      ['trigger', '--watch', '--config', 'fedora', '--ref', "o'brien/fix", '--image-type', 'silver blue'].concat([
        '--input',
        'note=a "b" $(c)\n`d`',
        '--priority',
        '1',
      ]),
    );
  });
});

describe('a retry of a failed build', () => {
  const on = (kind: 'github' | 'gitea' | 'forgejo', change: object = {}) => {
    const forge = { kind, api_url: 'https://git.example/api/v1', credential: 'work' };
    const request = { repository: 'a/b', workflow: 'build.yml', ref: 'main', inputs: {}, forge };
    return { id: 1, needs_attention: false, workflow_run_id: 7, conclusion: 'workflow_lost', request, ...change };
  };

  it('asks where it makes a new run beside one that may be going, also because the forge can do nothing else', () => {
    expect(retryQuestion(on('github'), undefined)).toBeUndefined();
    for (const build of [on('forgejo'), on('gitea', { workflow_run_id: null }), on('gitea', { needs_attention: true })])
      expect(retryQuestion(build, undefined)).toContain('the workflow runs twice');
    // A build ends at its deadline, or in doubt whether its run was re-run. The run may go on.
    for (const conclusion of ['timed_out', 'dispatch_failed']) {
      expect(retryQuestion(on('forgejo', { conclusion }), undefined)).toContain('the workflow runs twice');
      expect(retryQuestion(on('github', { conclusion }), 'redispatch')).toContain('the workflow runs twice');
    }
    expect(retryQuestion(on('forgejo', { conclusion: 'failure' }), undefined)).toBeUndefined();
  });

  it('has no mode where another program sends the dispatches', () => {
    const build = on('github');
    expect(retryModes({ ...build, request: { ...build.request, shadow: true } })).toEqual([]);
  });
});

describe('the form of a trigger', () => {
  const definition = definitionOf({
    repository: 'a/b',
    workflow: 'build.yml',
    inputs: { arch: 'x86_64', manifest: 'a: 1', packages: 'vim\ngit' },
    constants: { signed: 'true' },
    templates: { image: 'f-{{fedora_version}}' },
    yaml: ['manifest'],
    mapping: { image_type: null, fedora_version: null, flavour: 'variant', signed_by: 'signed' },
  });

  it('asks for what leads to an input, with its default, and for nothing that the configuration sets', () => {
    expect(askedFields({ definition })).toEqual([
      { name: 'fedora_version', preset: '', long: false },
      { name: 'flavour', preset: '', long: false },
      { name: 'arch', preset: 'x86_64', long: false },
      { name: 'manifest', preset: 'a: 1', long: true },
      { name: 'packages', preset: 'vim\ngit', long: true },
    ]);
  });

  it('has a field of several lines for a value that has them, also if somebody gave it', () => {
    const fields = (form = {}) => String(triggerFields({ id: 2, definition } as BuildConfiguration, form));
    expect(fields()).toContain('rows="5" spellcheck="false">\nvim\ngit</textarea>');
    expect(fields()).toMatch(/<input name="field.arch"/);
    expect(fields({ 'field.arch': '\na\nb' })).toContain('rows="5" spellcheck="false">\n\na\nb</textarea>');
  });

  it('makes the request that its fields say, and refuses what is none', () => {
    const form = {
      ref: 'main',
      'field.fedora_version': '43',
      'field.flavour': 'kde',
      'field.arch': '',
      more: 'a=b=c\n\nd=',
    };
    expect(requestOf(2, form)).toEqual({
      config_id: 2,
      ref: 'main',
      fedora_version: '43',
      inputs: { flavour: 'kde', a: 'b=c', d: '' },
    });
    expect(requestOf(2, { 'field.arch': 'one\r\ntwo' }).inputs).toEqual({ arch: 'one\ntwo' });
    expect(() => requestOf(2, { ref: 'a..b' })).toThrow(/ref/);
    expect(() => requestOf(2, { more: 'no name' })).toThrow(/inputs/);
  });
});

describe('the form of a configuration', () => {
  it('changes nothing that nobody changed', () => {
    const definition: ConfigurationDefinition = {
      ...{ forge: 'forgejo', api_url: 'https://git.example/api/v1', credential: 'work' },
      ...{ repository: 'a/b', workflow: 'build.yml', default_ref: 'stable' },
      mapping: { image_type: null, fedora_version: 'version' },
      ...{
        inputs: { arch: 'a\nb' },
        constants: { signed: 'true' },
        templates: { image: 'f-{{ref}}' },
        yaml: ['manifest'],
      },
      ...{ deadline: '2h', concurrency: 'queue', callback_url: 'https://done.example/', dispatch: 'queue' },
    };
    const form = formOfConfiguration({ name: 'all', version: 3, definition } as BuildConfiguration);
    const { name, ...content } = contentOf(form);
    expect([name, definitionOf(content)]).toEqual(['all', definition]);
  });
});

describe('values of any kind', () => {
  it('stay small and escaped on a page', () => {
    const page = String(foldedJson({ html: '<script>alert(1)</script>', long: 'x'.repeat(1_000_000) }, 'raw'));
    expect(page.length).toBeLessThan(10_000);
    expect(page).not.toContain('<script>');
    expect(page).toContain('href="raw"');
    expect(String(foldedJson(['\ud800'.repeat(200)]))).toMatch(/\[/);
    expect(String(outsideLink('javascript:alert(1)', 'run'))).toBe('run');
    expect(String(outsideLink('https://github.com/"onmouseover="', 'run'))).not.toContain('"onmouseover');
  });

  it('take people back only to a page of the console', () => {
    expect(['builds/1', 'builds?status=failure&ref=a%2Fb', 'trigger'].map(ownPath)).toEqual([
      'builds/1',
      'builds?status=failure&ref=a%2Fb',
      'trigger',
    ]);
    expect(['//evil.test', 'https://evil.test', '/docs', '../docs', 'a/../../b', ''].map(ownPath)).toEqual(
      Array(6).fill(''),
    );
  });

  it('are times that people read', () => {
    expect([0, 950, 1_000, 9_940, 61_000, 3_600_000, 90_000_000, 200_000_000, undefined].map(duration)).toEqual([
      ...['0 ms', '950 ms', '1.0 s', '9.9 s', '1m 01s', '1h 00m', '25h 00m', '2d 07h', '–'],
    ]);
    expect([0, 500, 1_000].map((step) => ageOfStep(step, 8_000))).toEqual([8_000, 1_000, 0]);
  });
});
