import type { RecordedEvent } from '../../contracts/builds/event.ts';
import { canonicalJson } from './hash.ts';
import { type Hash, leafHash, type TreeHead } from './merkle-tree.ts';
import { isSignedBy, type NoteVerifier, splitNote } from './signed-note.ts';

/** What the tree of the log has of an event. */
export type LeafEvent = Pick<RecordedEvent, 'position' | 'stream' | 'seq' | 'hash'>;

/**
 * What the tree of the log has of an event: where it stands and its hash, which covers all that it says. The text is canonical
 * JSON (RFC 8785).
 */
export function logEntry({ position, stream, seq, hash }: LeafEvent): string {
  return canonicalJson({ hash, position, seq, stream });
}

/** The leaf of an event. */
export function eventLeaf(event: LeafEvent): Hash {
  return leafHash(Buffer.from(logEntry(event)));
}

/** The entries of events as they are published (C2SP tlog-tiles): each behind its length, two bytes. */
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

/** The text of a checkpoint, which is signed (C2SP tlog-checkpoint). @param origin names the log. */
export function checkpointText(origin: string, { size, root }: TreeHead): string {
  return `${origin}\n${size}\n${root.toString('base64')}\n`;
}

/** A checkpoint that somebody kept. */
export interface Checkpoint extends TreeHead {
  origin: string;
  text: string;
  signatures: string[];
}

/** Reads a checkpoint without verifying its signatures; undefined where it is none. */
export function readCheckpoint(note: string): Checkpoint | undefined {
  const split = splitNote(note);
  const [origin, size, root] = split?.text.split('\n') ?? [];
  if (!split || !origin || !/^(0|[1-9]\d{0,15})$/.test(size ?? '') || !/^[A-Za-z0-9+/]{43}=$/.test(root ?? ''))
    return undefined;
  return { ...split, origin, size: Number(size), root: Buffer.from(root!, 'base64') };
}

/** Whether the log itself signed a checkpoint. */
export function isSignedByLog({ origin, text, signatures }: Checkpoint, log: NoteVerifier): boolean {
  return origin === log.name && isSignedBy(log, text, signatures);
}
