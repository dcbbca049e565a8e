/**
 * What a failed query means: the store is away, a unique value is taken, its values can never be stored, or the statement is
 * at fault, which the next release or migration mends.
 */
export interface DatabaseFault {
  kind: 'away' | 'conflict' | 'values' | 'fault';
  /** The store that failed, as people call it. */
  store: string;
  /** The store's own words, without the statement and its values. */
  message: string;
  /** Which constraint a conflict is about. */
  constraint?: string | undefined;
}

/** A fault of a store whose driver has no error of its own that says as much. */
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
