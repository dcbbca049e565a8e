/**
 * What a failed query means: the store is away, a unique value is taken, the values can never be stored, or the statement
 * is wrong, which only the next release or migration fixes.
 */
export interface DatabaseFault {
  kind: 'away' | 'conflict' | 'values' | 'fault';
  /** The store that failed, by its usual name. */
  store: string;
  /** The store's own message, without the statement and its values. */
  message: string;
  /** The constraint that a conflict violated. */
  constraint?: string | undefined;
}

/** A fault of a store whose driver has no error class of its own for it. */
export class StoreFault extends Error implements DatabaseFault {
  override readonly name = 'StoreFault';
  readonly kind: Exclude<DatabaseFault['kind'], 'conflict'>;
  readonly store: string;

  constructor(store: string, kind: StoreFault['kind'], message: string, cause?: unknown) {
    super(message, { cause });
    this.kind = kind;
    this.store = store;
  }
}
