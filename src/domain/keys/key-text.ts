import { crc32 } from 'node:zlib';

/*
 * A key is `hpx_`, 43 random characters of 62 (256 bits), and 6 characters of the CRC-32 of both. The fixed prefix and length let
 * secret scanners find a leaked key. The checksum lets them, and us, tell it from a typo without asking a database.
 */

const PREFIX = 'hpx_';
export const ALPHABET = '0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz';
const RANDOM_LENGTH = 43;
const CHECKSUM_LENGTH = 6;
const FORM = new RegExp(`^${PREFIX}([0-9A-Za-z]{${RANDOM_LENGTH}})([0-9A-Za-z]{${CHECKSUM_LENGTH}})$`);

/** Returns a key of random characters. @param pick draws a whole number from 0 to below its argument, each equally likely. */
export function newKeyText(pick: (below: number) => number): string {
  const random = Array.from({ length: RANDOM_LENGTH }, () => ALPHABET[pick(ALPHABET.length)]).join('');
  return `${PREFIX}${random}${checksumOf(random)}`;
}

/** Says whether a text is a key of this form, is meant to be one but mistyped or cut off, or is something else. */
export function formOfKey(text: string): 'whole' | 'damaged' | 'other' {
  if (!text.startsWith(PREFIX)) return 'other';
  const [, random, checksum] = FORM.exec(text) ?? [];
  return random !== undefined && checksum === checksumOf(random) ? 'whole' : 'damaged';
}

function checksumOf(random: string): string {
  let rest = crc32(PREFIX + random);
  let text = '';
  for (let place = 0; place < CHECKSUM_LENGTH; place++) {
    text = ALPHABET[rest % ALPHABET.length] + text;
    rest = Math.floor(rest / ALPHABET.length);
  }
  return text;
}
