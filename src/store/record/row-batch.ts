/** Of these, the one that is reached first ends a batch. Postgres takes 256 MB of JSON, and Node makes texts of 512 MB. */
const MOST_ROWS = 500;
const MOST_CHARACTERS = 8_000_000;

/** Rows as JSON that go into one statement. */
export class RowBatch {
  #rows: string[] = [];
  #characters = 0;

  /** Adds the JSON of a row. */
  add(row: string): void {
    this.#rows.push(row);
    this.#characters += row.length;
  }

  get isFull(): boolean {
    return this.#rows.length >= MOST_ROWS || this.#characters >= MOST_CHARACTERS;
  }

  get isEmpty(): boolean {
    return this.#rows.length === 0;
  }

  /** Returns all rows as a JSON array, and begins the next batch. */
  take(): string {
    const json = `[${this.#rows.join(',')}]`;
    this.#rows = [];
    this.#characters = 0;
    return json;
  }
}
