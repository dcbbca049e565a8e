import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { openSecrets, sealSecrets, secretPlaces, withoutSecrets } from '../../src/domain/tasks/secret-arguments.ts';
import { secretBoxOf } from '../../src/processes/secret-box.ts';

const boxOf = (...ids: string[]) => secretBoxOf({ TEMPORAL_CODEC_KEYS: new Map(ids.map((id) => [id, KEYS[id]!])) })!;
const KEYS: Record<string, Buffer> = { old: randomBytes(32), present: randomBytes(32) };
const given = { args: ['jane', 'p'], kwargs: { pin: 7, note: 'p' } };
const parameters = ['user', 'password', 'pin', 'note'].map((name) => ({
  ...{ name, kind: 'positional_or_keyword' as const, required: false },
}));
const properties = { user: {}, password: { writeOnly: true }, pin: { writeOnly: true } };
const type = { runtime: 'typescript' as const, parameters, schema: { properties } };

describe('secret arguments', () => {
  const places = secretPlaces(type, given);

  it('are those that a type in TypeScript marks, by position and by name', () => {
    expect(Object.fromEntries(places)).toEqual({ password: 'args.1', pin: 'kwargs.pin' });
    expect(secretPlaces({ ...type, runtime: 'python' }, given).size).toBe(0);
    expect(secretPlaces(undefined, given).size).toBe(0);
  });

  it('are opened where they were sealed for, also after the key was replaced, and nowhere else', () => {
    const sealed = sealSecrets(boxOf('old'), 'a', places, given);
    expect(sealed).toMatchObject({ args: ['jane', { $secret: expect.any(String) }], kwargs: { note: 'p' } });
    expect(openSecrets(boxOf('present', 'old'), 'a', places, sealed)).toEqual(given);
    expect(() => openSecrets(boxOf('old'), 'b', places, sealed)).toThrow();
    expect(() => openSecrets(boxOf('present'), 'a', places, sealed)).toThrow('the key old, which TEMPORAL_CODEC_KEYS');
    expect(() => openSecrets(undefined, 'a', places, sealed)).toThrow('TEMPORAL_CODEC_KEYS is not set');
    const moved = { args: ['jane', sealed.kwargs.pin], kwargs: {} };
    expect(() => openSecrets(boxOf('old'), 'a', places, moved)).toThrow();
  });

  it('are not what only looks like one', () => {
    const looks = { args: [{ $secret: 'mine' }, 'p'], kwargs: { pin: 7, note: { $secret: 'old:bWluZQ==' } } };
    const sealed = sealSecrets(boxOf('old'), 'a', places, looks);
    expect(sealed).toMatchObject({ args: [looks.args[0], expect.anything()], kwargs: { note: looks.kwargs.note } });
    expect(openSecrets(boxOf('old'), 'a', places, sealed)).toEqual(looks);
    expect(openSecrets(undefined, 'a', new Map(), looks)).toEqual(looks);
  });

  it('count for whether two requests are the same, by digests that need a key', () => {
    const digests = (pin: number, ...keys: string[]) => withoutSecrets(boxOf(...keys), places, { pin, note: 'p' });
    const [old] = digests(7, 'old');
    expect(old).toMatchObject({ note: 'p' });
    expect(digests(7, 'old')).toEqual([old]);
    expect(digests(8, 'old')).not.toContainEqual(old);
    expect(digests(7, 'present')).not.toContainEqual(old);
    // While the key is replaced, some processes still use the old one.
    expect(digests(7, 'present', 'old')).toEqual([...digests(7, 'present'), old]);
  });
});
