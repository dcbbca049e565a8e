import type { RecordedEvent } from '../../contracts/builds/event.ts';
import { canonicalJson } from './hash.ts';
import { type Hash, leafHash, type TreeHead } from './merkle-tree.ts';
import { isSignedBy, type NoteVerifier, splitNote } from './signed-note.ts';

/** The part of an event that the tree of the log covers. */
export type LeafEvent = Pick<RecordedEvent, 'position' | 'stream' | 'seq' | 'hash'>;

/**
 * Returns the entry of an event in the tree of the log: its place and its hash, which covers everything that it says. The text is
 * canonical JSON (RFC 8785).
 */
export function logEntry({ position, stream, seq, hash }: LeafEvent): string {
  return canonicalJson({ hash, position, seq, stream });
}

/** Returns the leaf of an event. */
export function eventLeaf(event: LeafEvent): Hash {
  return leafHash(Buffer.from(logEntry(event)));
}

/** Returns the entries of events as they are published (C2SP tlog-tiles): each after its length, two bytes. */
export function entryBundle(events: readonly LeafEvent[]): Buffer {
  return Buffer.concat(
    events.flatMap((event) => {
      const entry = Buffer.from(logEntry(event));
      const length = Buffer.alloc(2);
      length.writeUInt16BE(entry.length);
      return [length, entry];
    }),
  );
}

/** Returns the text of a checkpoint, ready to sign (C2SP tlog-checkpoint). @param origin names the log. */
export function checkpointText(origin: string, { size, root }: TreeHead): string {
  return `${origin}\n${size}\n${root.toString('base64')}\n`;
}

/** A checkpoint that somebody kept. */
export interface Checkpoint extends TreeHead {
  origin: string;
  text: string;
  signatures: string[];
}

/** Reads a checkpoint without verifying its signatures; undefined if it is not a checkpoint. */
export function readCheckpoint(note: string): Checkpoint | undefined {
  const split = splitNote(note);
  const [origin, size, root] = split?.text.split('\n') ?? [];
  if (!split || !origin || !/^(0|[1-9]\d{0,15})$/.test(size ?? '') || !/^[A-Za-z0-9+/]{43}=$/.test(root ?? ''))
    return undefined;
  return { ...split, origin, size: Number(size), root: Buffer.from(root!, 'base64') };
}

/** Says whether the log itself signed a checkpoint. */
export function isSignedByLog({ origin, text, signatures }: Checkpoint, log: NoteVerifier): boolean {
  return origin === log.name && isSignedBy(log, text, signatures);
}
