import { z } from 'zod';
import { repository } from '../builds/configuration.ts';

/** OWNER/NAME, which is also extracted from the address of a page or a clone. */
export const repositorySetting = z
  .string()
  .transform((text) =>
    text
      .trim()
      .replace(/^(?:https?:\/\/[^/@]+\/|git@[^/:]+:|ssh:\/\/git@[^/]+\/)/, '')
      .replace(/\/+$/, '')
      .replace(/\.git$/, ''),
  )
  .pipe(repository);

/** A token as a header carries it. Files with secrets end with a line break that is not part of the token. */
export const tokenSetting = z
  .string()
  .trim()
  .regex(/^[\x21-\x7e]+$/, 'must be the token alone: no spaces, no "Bearer" before it');

/** PEM of an app's key: PKCS#1, as GitHub issues it, or PKCS#8, as tools convert it. */
const PEM = /^-----BEGIN ((?:RSA )?PRIVATE KEY)-----([A-Za-z0-9+/=\s]+)-----END \1-----$/;
const LINE_CHARACTERS = 64;

/**
 * The private key of a GitHub App, in the forms that environments turn it into: line ends written `\n` or replaced by spaces, or all of it
 * in base64. Parsing returns PEM with line ends.
 */
export const privateKeySetting = z.string().transform((text, context) => {
  const pem = pemOf(text) ?? pemOf(decoded(text));
  if (pem !== undefined) return pem;
  const begins = /-----BEGIN [A-Z ]+-----/.test(text);
  context.addIssue({
    code: 'custom',
    message: begins
      ? 'is not the whole key of an app, from -----BEGIN RSA PRIVATE KEY----- to -----END RSA PRIVATE KEY-----; write its line ends as \\n'
      : 'must be the key itself, from -----BEGIN RSA PRIVATE KEY----- on, or its base64; not the name of a file',
  });
  return z.NEVER;
});

function pemOf(text: string): string | undefined {
  const [, label, body = ''] = PEM.exec(text.replaceAll('\\n', '\n').replaceAll('\\r', '').trim()) ?? [];
  if (label === undefined) return undefined;
  const lines = body.replace(/\s+/g, '').match(new RegExp(`.{1,${LINE_CHARACTERS}}`, 'g')) ?? [];
  return [`-----BEGIN ${label}-----`, ...lines, `-----END ${label}-----`, ''].join('\n');
}

function decoded(base64: string): string {
  try {
    return atob(base64.replace(/\s+/g, ''));
  } catch {
    return '';
  }
}
