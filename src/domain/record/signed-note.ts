import { createHash, createPrivateKey, createPublicKey, type KeyObject, sign, verify } from 'node:crypto';

/** Type byte of an Ed25519 key and of its signatures (C2SP signed-note). */
const ED25519 = 1;
/** Type byte of a witness's signature, which says when it was made (C2SP tlog-cosignature). */
const COSIGNATURE = 4;

/** The bytes before the 32 bytes of an Ed25519 key in its DER forms. */
const PUBLIC_DER = Buffer.from('302a300506032b6570032100', 'hex');
const PRIVATE_DER = Buffer.from('302e020100300506032b657004220420', 'hex');

/** A key that signs notes, in the form of Go's `sumdb/note` and of other public tools. */
export interface NoteSigner {
  /** Name of the key; for a log, also the first line of its checkpoints. */
  name: string;
  /** The key that others verify with: `name+id+key`. */
  verifierKey: string;
  /** @returns the line to put below the text. */
  sign(text: string): string;
}

/** A key that verifies notes. */
export interface NoteVerifier {
  name: string;
  id: string;
  type: number;
  key: KeyObject;
}

const NAME = /^[^\s+]{1,200}$/u;

/**
 * Returns the secret form of a key, `PRIVATE+KEY+name+id+key`.
 * @param seed 32 random bytes. @throws {Error} if the name has spaces or a plus, or is too long.
 */
export function noteKeyOf(name: string, seed: Uint8Array): string {
  if (!NAME.test(name)) throw new Error('the name of a key has no spaces and no plus, and at most 200 characters');
  const id = keyId(name, ED25519, rawOf(createPublicKey(privateKeyOf(seed))));
  return `PRIVATE+KEY+${name}+${id}+${Buffer.of(ED25519, ...seed).toString('base64')}`;
}

/** Reads a secret key. @throws {Error} if it is not one. */
export function readNoteSigner(secret: string): NoteSigner {
  const parts = /^PRIVATE\+KEY\+([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})$/u.exec(secret.trim());
  const [, name = '', id, encoded = ''] = parts ?? [];
  const bytes = Buffer.from(encoded, 'base64');
  if (bytes.length !== 33 || bytes[0] !== ED25519) throw new Error('is not a key that `hapax audit key` makes');
  const key = privateKeyOf(bytes.subarray(1));
  const raw = rawOf(createPublicKey(key));
  if (keyId(name, ED25519, raw) !== id) throw new Error('has a part of another key');
  return {
    name,
    verifierKey: `${name}+${id}+${Buffer.of(ED25519, ...raw).toString('base64')}`,
    sign: (text) =>
      `— ${name} ${Buffer.concat([Buffer.from(id, 'hex'), sign(null, Buffer.from(text), key)]).toString('base64')}\n`,
  };
}

/** Reads a key that verifies notes. @throws {Error} if it is not one. */
export function readNoteVerifier(verifierKey: string): NoteVerifier {
  const parts = /^([^\s+]+)\+([0-9a-f]{8})\+([A-Za-z0-9+/]{44})$/u.exec(verifierKey.trim());
  const [, name = '', id = '', encoded = ''] = parts ?? [];
  const bytes = Buffer.from(encoded, 'base64');
  const [type = 0] = bytes;
  if (bytes.length !== 33 || ![ED25519, COSIGNATURE].includes(type))
    throw new Error('is not a key that verifies notes');
  const raw = bytes.subarray(1);
  if (keyId(name, type, raw) !== id) throw new Error('has a part of another key');
  const key = createPublicKey({ key: Buffer.concat([PUBLIC_DER, raw]), format: 'der', type: 'spki' });
  return { name, id, type, key };
}

/** Returns a note with these lines of signatures. The text must end with a line feed. */
export function noteOf(text: string, signatures: readonly string[]): string {
  return `${text}\n${signatures.join('')}`;
}

/** Splits a note into its text and its signatures, without verifying them. Undefined if it is not a note. */
export function splitNote(note: string): { text: string; signatures: string[] } | undefined {
  const end = note.lastIndexOf('\n\n');
  if (end < 0 || !note.endsWith('\n')) return undefined;
  const signatures = note.slice(end + 2).split(/(?<=\n)/u);
  if (!signatures.every((line) => /^— \S+ [A-Za-z0-9+/]+=*\n$/u.test(line))) return undefined;
  return { text: note.slice(0, end + 1), signatures };
}

/** Says whether one of the signatures is from that key. Every signature that names the key must be right. */
export function isSignedBy(verifier: NoteVerifier, text: string, signatures: readonly string[]): boolean {
  const own = signatures.flatMap((line) => {
    const [, name, encoded = ''] = line.trimEnd().split(' ');
    const bytes = Buffer.from(encoded, 'base64');
    return name === verifier.name && bytes.toString('hex', 0, 4) === verifier.id ? [bytes.subarray(4)] : [];
  });
  return own.length > 0 && own.every((signature) => isRight(verifier, text, signature));
}

function isRight({ type, key }: NoteVerifier, text: string, signature: Buffer): boolean {
  if (type === ED25519) return verify(null, Buffer.from(text), key, signature);
  const at = signature.subarray(0, 8);
  if (at.length < 8) return false;
  const signed = `cosignature/v1\ntime ${at.readBigUInt64BE()}\n${text}`;
  return verify(null, Buffer.from(signed), key, signature.subarray(8));
}

function privateKeyOf(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PRIVATE_DER, seed]), format: 'der', type: 'pkcs8' });
}

function rawOf(key: KeyObject): Buffer {
  return key.export({ format: 'der', type: 'spki' }).subarray(PUBLIC_DER.length);
}

function keyId(name: string, type: number, raw: Buffer): string {
  const of = Buffer.concat([Buffer.from(`${name}\n`), Buffer.of(type), raw]);
  return createHash('sha256').update(of).digest('hex').slice(0, 8);
}
