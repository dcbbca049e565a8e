import { randomBytes } from 'node:crypto';
import { expect, it } from 'vitest';
import { checkpointText, isSignedByLog, readCheckpoint } from '../../src/domain/record/checkpoint.ts';
import { EMPTY_ROOT } from '../../src/domain/record/merkle-tree.ts';
import {
  isSignedBy,
  noteKeyOf,
  noteOf,
  readNoteSigner,
  readNoteVerifier,
  splitNote,
} from '../../src/domain/record/signed-note.ts';

// From the documentation of Go's golang.org/x/mod/sumdb/note: a key, and a note that it signed.
const SECRET = 'PRIVATE+KEY+PeterNeumann+c74f20a3+AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz';
const VERIFIER = 'PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW';
const TEXT = "If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n";
const SIGNED =
  '— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n';

it('signs and verifies as the note package of Go does', () => {
  const signer = readNoteSigner(SECRET);
  expect(signer.verifierKey).toBe(VERIFIER);
  expect(signer.sign(TEXT)).toBe(SIGNED);
  expect(isSignedBy(readNoteVerifier(VERIFIER), TEXT, [SIGNED])).toBe(true);
  expect(isSignedBy(readNoteVerifier(VERIFIER), TEXT.toUpperCase(), [SIGNED])).toBe(false);
  expect(splitNote(noteOf(TEXT, [SIGNED]))).toEqual({ text: TEXT, signatures: [SIGNED] });
});

it('makes keys that it reads, and refuses those that somebody mended', () => {
  const secret = noteKeyOf('example.org/log', randomBytes(32));
  const { verifierKey } = readNoteSigner(secret);
  expect(readNoteVerifier(verifierKey).name).toBe('example.org/log');
  expect(() => readNoteSigner(secret.replace('example', 'another'))).toThrow('another key');
  expect(() => readNoteVerifier(verifierKey.replace('example', 'another'))).toThrow('another key');
  expect(() => readNoteSigner(verifierKey)).toThrow('not a key');
  expect(() => noteKeyOf('with space', randomBytes(32))).toThrow('no spaces');
});

it('reads a checkpoint only as the log wrote it', () => {
  const signer = readNoteSigner(noteKeyOf('example.org/log', randomBytes(32)));
  const text = checkpointText('example.org/log', { size: 0, root: EMPTY_ROOT });
  const note = noteOf(text, [signer.sign(text)]);
  const log = readNoteVerifier(signer.verifierKey);
  const checkpoint = readCheckpoint(note)!;
  expect(checkpoint).toMatchObject({ origin: 'example.org/log', size: 0, root: EMPTY_ROOT });
  expect(isSignedByLog(checkpoint, log)).toBe(true);
  // Signatures of others count for nothing, in front or behind.
  const other = readNoteSigner(noteKeyOf('example.org/other', randomBytes(32)));
  expect(isSignedByLog({ ...checkpoint, signatures: [other.sign(text), ...checkpoint.signatures] }, log)).toBe(true);
  expect(isSignedByLog({ ...checkpoint, signatures: [other.sign(text)] }, log)).toBe(false);
  for (const wrong of [note.replace('\n0\n', '\n00\n'), note.slice(0, -1), text, `${note}x`, '']) {
    expect(readCheckpoint(wrong)).toBeUndefined();
  }
});
