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

it('names nothing between equal versions, and all that the first one set', () => {
  expect(configurationDifferences(version({}), version({}))).toEqual([]);
  expect(configurationDifferences(undefined, version({})).map(({ path }) => path)).toEqual([
    'name',
    'repository',
    'workflow',
    'default_ref',
    'mapping.fedora_version',
    'mapping.image_type',
    'concurrency',
  ]);
});
