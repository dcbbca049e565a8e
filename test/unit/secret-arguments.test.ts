import { randomBytes } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { hasSecrets, openSecrets, sealSecrets, withoutSecrets } from '../../src/domain/tasks/secret-arguments.ts';
import { secretBoxOf } from '../../src/processes/secret-box.ts';

const boxOf = (...ids: string[]) => secretBoxOf({ TEMPORAL_CODEC_KEYS: new Map(ids.map((id) => [id, KEYS[id]!])) })!;
const KEYS: Record<string, Buffer> = { old: randomBytes(32), present: randomBytes(32) };
const given = { args: ['jane', 'p'], kwargs: { pin: 7, note: 'p' } };
const places = new Map([
  ['user', 'args.0'],
  ['password', 'args.1'],
  ['pin', 'kwargs.pin'],
]);

describe('secret arguments', () => {
  it('are opened where they were sealed for, also after the key was replaced, and nowhere else', () => {
    const sealed = sealSecrets(boxOf('old'), 'a', ['password', 'pin'], places, given);
    expect(sealed).toMatchObject({ args: ['jane', { $secret: expect.any(String) }], kwargs: { note: 'p' } });
    expect([hasSecrets(sealed), hasSecrets(given)]).toEqual([true, false]);
    expect(openSecrets(boxOf('present', 'old'), 'a', sealed)).toEqual(given);
    expect(() => openSecrets(boxOf('old'), 'b', sealed)).toThrow();
    expect(() => openSecrets(boxOf('present'), 'a', sealed)).toThrow('the key old, which TEMPORAL_CODEC_KEYS');
    const moved = { args: ['jane', sealed.kwargs.pin], kwargs: {} };
    expect(() => openSecrets(boxOf('old'), 'a', moved)).toThrow();
  });

  it('count for whether two requests are the same, by a digest that needs the key', () => {
    const digests = (box: string, pin: number) => withoutSecrets(boxOf(box), ['pin'], { pin, note: 'p' });
    expect(digests('old', 7)).toEqual(digests('old', 7));
    expect(digests('old', 7)).not.toEqual(digests('old', 8));
    expect(digests('old', 7)).not.toEqual(digests('present', 7));
    expect(digests('old', 7).note).toBe('p');
  });
});
