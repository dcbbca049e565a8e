import { createHmac } from 'node:crypto';
import type { Settings } from '../contracts/settings.ts';
import type { SecretBox } from '../domain/tasks/secret-arguments.ts';
import { decrypt, encrypt } from './aes-gcm.ts';

/** Returns a box that encrypts secret arguments with the keys of TEMPORAL_CODEC_KEYS; undefined if none are set. */
export function secretBoxOf({
  TEMPORAL_CODEC_KEYS: keys,
}: Pick<Settings, 'TEMPORAL_CODEC_KEYS'>): SecretBox | undefined {
  const [own] = keys ?? [];
  if (!keys || !own) return undefined;
  const [ownId, ownKey] = own;
  const aboutOf = (id: string, about: string) => `${id}\n${about}`;
  return {
    seal: (text, about) => `${ownId}:${encrypt(ownKey, Buffer.from(text), aboutOf(ownId, about)).toString('base64')}`,
    open(sealed, about) {
      const [id = '', base64 = ''] = sealed.split(':');
      const key = keys.get(id);
      if (!key)
        throw new Error(`it is encrypted with the key ${id.slice(0, 64)}, which TEMPORAL_CODEC_KEYS does not name`);
      return decrypt(key, Buffer.from(base64, 'base64'), aboutOf(id, about)).toString();
    },
    digests: [...keys.values()].map(
      (key) => (text) => createHmac('sha256', key).update(`secret argument\n${text}`).digest('hex'),
    ),
  };
}
