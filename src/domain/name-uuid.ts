import { createHash } from 'node:crypto';

/** Namespace of all ids that we derive; any fixed UUID does. */
const NAMESPACE = Buffer.from('b7d0f3c49a5e4d1c8f2b6a3e17c5d904', 'hex');

/** A UUID of version 5 (RFC 9562): the same for the same name, wherever and whenever it is asked. */
export function nameUuid(name: string): string {
  const bytes = createHash('sha1').update(NAMESPACE).update(name, 'utf8').digest().subarray(0, 16);
  bytes[6] = (bytes[6]! & 0x0f) | 0x50;
  bytes[8] = (bytes[8]! & 0x3f) | 0x80;
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5');
}
