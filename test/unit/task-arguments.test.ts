import { describe, expect, it } from 'vitest';
import type { TaskParameter, TaskType } from '../../src/contracts/tasks/task-type.ts';
import { readTypedArguments } from '../../src/domain/tasks/task-arguments.ts';
import { namedArguments } from '../../src/domain/tasks/task-request.ts';

const parameter = (name: string, also: Partial<TaskParameter> = {}): TaskParameter => ({
  ...{ name, kind: 'positional_or_keyword', required: true, ...also },
});

let versions = 0;
function typeOf(parameters: TaskParameter[] | null, schema: Record<string, unknown> | null = null): TaskType {
  versions += 1;
  return { name: 'a', runtime: 'python', version: `v${versions}`, parameters, schema } as TaskType;
}

describe('the arguments of a registered type', () => {
  it.each<[what: string, parameters: TaskParameter[] | null, args: unknown[], kwargs: object, outcome: unknown]>([
    ['by position and by name', [parameter('x'), parameter('y')], [1], { y: 2 }, { x: 1, y: 2 }],
    ['with a default left out', [parameter('x'), parameter('y', { required: false })], [1], {}, { x: 1 }],
    ['one is missing', [parameter('x'), parameter('y')], [1], {}, ['kwargs.y: is missing']],
    ['one twice', [parameter('x')], [1], { x: 2 }, ['kwargs.x: is also given by position']],
    ['one too many', [parameter('x')], [1, 2], {}, ['args: it takes 1 positional arguments: x']],
    ['an unknown one', [parameter('x')], [1], { z: 2 }, ['kwargs.z: is no argument of this task']],
    [
      '*args',
      [parameter('x'), parameter('a', { kind: 'var_positional', required: false })],
      [1, 2, 3],
      {},
      { x: 1, '*': [2, 3] },
    ],
    ['**kwargs', [parameter('k', { kind: 'var_keyword', required: false })], [], { z: 2 }, { z: 2 }],
    [
      'a keyword-only one by position',
      [parameter('x', { kind: 'keyword_only' })],
      [1],
      {},
      ['args: it takes 0 positional arguments: none', 'kwargs.x: is missing'],
    ],
    [
      'a positional-only one by name',
      [parameter('x', { kind: 'positional_only' })],
      [],
      { x: 1 },
      ['kwargs.x: can only be given by position', 'kwargs.x: is missing'],
    ],
    ['a type that fits', [parameter('n', { schema: { type: 'integer' } })], [1], {}, { n: 1 }],
    [
      'a type that does not',
      [parameter('n', { schema: { type: 'integer' } })],
      ['a'],
      {},
      ['args.0: Invalid input: expected number, received string'],
    ],
    [
      'a schema with words that nobody knows',
      [parameter('n', { schema: { if: { type: 'string' } } })],
      ['a'],
      {},
      { n: 'a' },
    ],
    ['a type that does not say', null, [1], { z: 2 }, { args: [1], kwargs: { z: 2 } }],
    [
      '__proto__',
      [parameter('x')],
      [1],
      JSON.parse('{"__proto__":1}'),
      ['kwargs.__proto__: is no argument of this task'],
    ],
  ])('%s', (_, parameters, args, kwargs, outcome) => {
    const read = readTypedArguments(typeOf(parameters), args, kwargs as Record<string, unknown>);
    const shown = 'given' in read ? read.given : read.faults.map(({ path, message }) => `${path}: ${message}`);
    expect(shown).toEqual(outcome);
  });

  it('can be given once more, by name as far as they have one', () => {
    const only = parameter('o', { kind: 'positional_only' });
    const more = parameter('m', { kind: 'var_positional', required: false });
    const any = parameter('k', { kind: 'var_keyword', required: false });
    const again = (parameters: TaskParameter[] | null, args: unknown[], kwargs: Record<string, unknown> = {}) => {
      const type = typeOf(parameters);
      const named = namedArguments(type, { args, kwargs });
      expect(readTypedArguments(type, named.args, named.kwargs)).toEqual(readTypedArguments(type, args, kwargs));
      return [named.args, named.kwargs];
    };
    expect(again([parameter('x'), parameter('y')], [1], { y: 2 })).toEqual([[], { x: 1, y: 2 }]);
    expect(again([only, parameter('x')], [1, 2])).toEqual([[1], { x: 2 }]);
    expect(again([only, any], [1], { o: 2 })).toEqual([[1], { o: 2 }]);
    expect(again([parameter('x'), more], [1, 2, 3])).toEqual([[1, 2, 3], {}]);
    expect(again(null, [1], { z: 2 })).toEqual([[1], { z: 2 }]);
    expect(namedArguments(undefined, { args: [1], kwargs: {} })).toEqual({ args: [1], kwargs: {} });
  });

  it('are checked by the schema of all, each fault at its place', () => {
    const schema = {
      type: 'object',
      properties: { to: { type: 'string' }, times: { type: 'array', items: { $ref: '#/$defs/n' } } },
      required: ['to'],
      $defs: { n: { type: 'integer', minimum: 1 } },
    };
    const type = typeOf([parameter('to'), parameter('times', { required: false })], schema);
    expect(readTypedArguments(type, ['a'], { times: [1] })).toEqual({ given: { to: 'a', times: [1] } });
    expect(readTypedArguments(type, [1], { times: [0] })).toEqual({
      faults: [
        { path: 'args.0', message: 'Invalid input: expected string, received number' },
        { path: 'kwargs.times.0', message: 'Too small: expected number to be >=1' },
      ],
    });
  });
});
