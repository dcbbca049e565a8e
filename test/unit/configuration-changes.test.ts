import { expect, it } from 'vitest';
import { definitionOf } from '../../src/domain/builds/configuration.ts';
import { configurationDifferences } from '../../src/domain/builds/configuration-changes.ts';

const version = (more: object, retired = false) => ({
  name: 'fedora',
  retired,
  definition: definitionOf({ repository: 'acme/images', workflow: 'build.yml', ...more }),
});

it('names each field that a version changed, those of maps by their own names', () => {
  const before = version({ inputs: { release: 'stable', arch: 'x86_64' }, deadline: '2h' });
  const after = version({ inputs: { release: 'testing' }, constants: { arch: 'x86_64' }, yaml: ['manifest'] }, true);
  expect(configurationDifferences(before, after)).toEqual([
    { path: 'inputs.release', before: '"stable"', after: '"testing"' },
    { path: 'inputs.arch', before: '"x86_64"', after: undefined },
    { path: 'constants.arch', before: undefined, after: '"x86_64"' },
    { path: 'yaml', before: undefined, after: '["manifest"]' },
    { path: 'deadline', before: '"2h"', after: undefined },
    { path: 'retired', before: undefined, after: 'true' },
  ]);
});

it('names every field that may change', () => {
  const forge = { forge: 'forgejo', api_url: 'https://forge.example/api/v1', credential: 'forge' };
  const given = { ...forge, dispatch: 'direct', callback_url: 'https://done.example', templates: { title: '{{ref}}' } };
  const changed = configurationDifferences(version({}), version(given)).map(({ path }) => path);
  expect(changed.toSorted()).toEqual(
    [...Object.keys(given).filter((name) => name !== 'templates'), 'templates.title'].toSorted(),
  );
});

it('names nothing between equal versions, and all that the first one set', () => {
  expect(configurationDifferences(version({}), version({}))).toEqual([]);
  expect(configurationDifferences(undefined, version({})).map(({ path }) => path)).toEqual([
    'name',
    'forge',
    'repository',
    'workflow',
    'default_ref',
    'mapping.fedora_version',
    'mapping.image_type',
    'concurrency',
  ]);
});
