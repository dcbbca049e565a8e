import { readFileSync } from 'node:fs';
import { isSignedByLog, readCheckpoint } from '../domain/record/checkpoint.ts';
import { KeptTree } from '../domain/record/kept-tree.ts';
import type { LogAudit } from '../domain/record/log-audit.ts';
import { readNoteVerifier } from '../domain/record/signed-note.ts';
import { UserError } from '../laptop/user-error.ts';

/** Returns the tree of the named checkpoint. @throws {UserError} if it is not a checkpoint, or another key signed it. */
export function keptTreeOf({
  checkpoint: file,
  key,
}: {
  checkpoint?: string | undefined;
  key?: string | undefined;
}): KeptTree | undefined {
  if (file === undefined) return undefined;
  try {
    const checkpoint = readCheckpoint(readFileSync(file, 'utf8'));
    if (!checkpoint) throw new Error('is no checkpoint (C2SP tlog-checkpoint)');
    if (key !== undefined && !isSignedByLog(checkpoint, readNoteVerifier(key)))
      throw new Error('is not signed with that key');
    return new KeptTree(checkpoint);
  } catch (error) {
    throw new UserError(`${file}: ${(error as Error).message}`);
  }
}

/** Prints each fault and, at the end, the outcome. */
export class AuditReport {
  readonly #audit: LogAudit;
  readonly #head: string | undefined;
  /** The tree of a checkpoint that somebody kept; undefined if none is given. */
  readonly keptTree: KeptTree | undefined;
  #faults = 0;

  constructor(audit: LogAudit, head: string | undefined, keptTree: KeptTree | undefined) {
    this.#audit = audit;
    this.#head = head;
    this.keptTree = keptTree;
  }

  fault(line: string): void {
    this.#faults += 1;
    console.log(line);
  }

  /** @throws {UserError} if anything is not sound. */
  close(): void {
    const { events, heads } = this.#audit;
    const digest = heads.digest();
    if (this.#head !== undefined && this.#head !== digest) {
      this.fault(`the head is not ${this.#head}: events were removed, added or replaced`);
    }
    const changed = this.keptTree?.fault();
    if (changed) this.fault(changed);
    const extent = `${events} events, ${heads.size} streams`;
    if (this.#faults > 0) throw new UserError(`${extent}, ${this.#faults} faults, head ${digest}`);
    console.log(`head ${digest}`);
    if (this.keptTree) console.log(this.keptTree.describe());
    console.log(`${extent}, sound`);
  }
}
