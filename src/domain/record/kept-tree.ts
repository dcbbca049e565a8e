import { eventLeaf, type LeafEvent } from './checkpoint.ts';
import { GrowingTree, type TreeHead } from './merkle-tree.ts';

/** Compares a log with a checkpoint that somebody kept. */
export class KeptTree {
  readonly #kept: TreeHead;
  readonly #tree = new GrowingTree();

  constructor(kept: TreeHead) {
    this.#kept = kept;
  }

  /** Adds an event. Events come in the order of their positions; those after the checkpoint are ignored. */
  add(event: LeafEvent): void {
    if (this.#tree.size < this.#kept.size) this.#tree.add(eventLeaf(event));
  }

  /** Returns the fault once all events were added; undefined if the log has everything that the checkpoint has. */
  fault(): string | undefined {
    const { size, root } = this.#kept;
    const missing = size - this.#tree.size;
    if (missing > 0) return `${missing} of the ${size} events of the checkpoint are missing`;
    return this.#tree.root().equals(root)
      ? undefined
      : `the first ${size} events are not those of the checkpoint: events were changed, removed or added`;
  }

  describe(): string {
    return `the first ${this.#kept.size} events are those of the checkpoint`;
  }
}
