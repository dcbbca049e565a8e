import { AsyncLocalStorage } from 'node:async_hooks';

/** A process that can be killed: what it waits for then never comes. */
export class Process {
  readonly name: string;
  alive = true;
  constructor(name: string) {
    this.name = name;
  }

  /** Returns only while the process lives. */
  async survived(): Promise<void> {
    if (!this.alive) await new Promise(() => {});
  }
}

const current = new AsyncLocalStorage<Process>();

/** Runs something as part of a process. */
export function runIn<T>(process: Process, work: () => T): T {
  return current.run(process, work);
}

/** The process that this code is part of. */
export function currentProcess(): Process {
  const process = current.getStore();
  if (!process) throw new Error('no simulated process runs this');
  return process;
}

interface Due {
  at: number;
  order: number;
  work: (() => void) | undefined;
}

/**
 * Virtual time: it moves to the next thing that is due as soon as nothing runs any more. Everything happens in one
 * order, which follows from the seed.
 */
export class VirtualClock {
  now: number;
  /** Steps taken. */
  steps = 0;
  #order = 0;
  #turning = 0;
  readonly #due: Due[] = [];

  constructor(now: number) {
    this.now = now;
  }

  /** Does something so many milliseconds from now, unless what is returned is called before. */
  after(ms: number, work: () => void): () => void {
    const due: Due = { at: this.now + Math.max(0, ms), order: this.#order++, work };
    this.#push(due);
    return () => {
      due.work = undefined;
    };
  }

  /** Runs work that may sleep, as part of a process. */
  spawn(process: Process, work: () => Promise<unknown>): void {
    runIn(process, work).catch((error: unknown) => {
      this.failure ??= error;
    });
  }

  /** What was thrown where nobody catches it: a fault of the harness or of the code under test. */
  failure: unknown;

  /** Waits within a process; for ever where that is killed meanwhile. */
  sleep(ms: number, process = currentProcess()): Promise<void> {
    return new Promise((resolve) => {
      this.after(ms, () => {
        if (process.alive) resolve();
      });
    });
  }

  /** What the event loop has to turn for; all else is done before it turns, and so at one moment of virtual time. */
  async turning<T>(work: Promise<T>): Promise<T> {
    this.#turning += 1;
    try {
      return await work;
    } finally {
      this.#turning -= 1;
    }
  }

  /** Takes what is due, one after the other, until the condition holds, the time is over or nothing is left. */
  async run(done: () => boolean, untilMs = Number.POSITIVE_INFINITY): Promise<void> {
    await this.#settle();
    while (!done() && this.failure === undefined) {
      const next = this.#due[0];
      if (!next || next.at > untilMs) return;
      this.#pop();
      if (!next.work) continue;
      this.now = next.at;
      this.steps += 1;
      next.work();
      await this.#settle();
    }
  }

  async #settle(): Promise<void> {
    do await new Promise(setImmediate);
    while (this.#turning > 0);
  }

  #push(due: Due): void {
    const heap = this.#due;
    let at = heap.push(due) - 1;
    while (at > 0) {
      const parent = (at - 1) >> 1;
      if (!isBefore(heap[at]!, heap[parent]!)) break;
      [heap[at], heap[parent]] = [heap[parent]!, heap[at]!];
      at = parent;
    }
  }

  #pop(): void {
    const heap = this.#due;
    const last = heap.pop()!;
    if (heap.length === 0) return;
    heap[0] = last;
    for (let at = 0; ; ) {
      const left = 2 * at + 1;
      let least = at;
      if (left < heap.length && isBefore(heap[left]!, heap[least]!)) least = left;
      if (left + 1 < heap.length && isBefore(heap[left + 1]!, heap[least]!)) least = left + 1;
      if (least === at) return;
      [heap[at], heap[least]] = [heap[least]!, heap[at]!];
      at = least;
    }
  }
}

function isBefore(a: Due, b: Due): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

const RealDate = Date;
let installed: VirtualClock | undefined;

class VirtualDate extends RealDate {
  constructor(...args: unknown[]) {
    if (args.length === 0 && installed) super(installed.now);
    else super(...(args as [number]));
  }
  static override now(): number {
    return installed ? installed.now : RealDate.now();
  }
}

/** Makes a clock the time of this thread; of none, the real one again. */
export function installClock(clock: VirtualClock | undefined): void {
  installed = clock;
  globalThis.Date = clock ? (VirtualDate as DateConstructor) : RealDate;
}

/** The clock that is the time of this thread. */
export function installedClock(): VirtualClock {
  if (!installed) throw new Error('no virtual clock is installed');
  return installed;
}
