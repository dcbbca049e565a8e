import type { Db } from '../../store/database.ts';
import { listSubjects, type ToldSubject } from '../../store/subscriptions/subject-list.ts';

/** How many builds and tasks a process remembers. */
const MOST = 5_000;

const NOTHING: ToldSubject = { facts: {}, subject: {} };

/** The facts about builds and tasks that never change. Reads each once for all subscriptions of a process. */
export class Subjects {
  readonly #db: Db;
  readonly #known = new Map<string, ToldSubject>();

  constructor(db: Db) {
    this.#db = db;
  }

  /** Returns this by stream. It is empty for a stream that is neither build nor task. @throws if the database is away. */
  async of(streams: readonly string[]): Promise<(stream: string) => ToldSubject> {
    const unknown = new Set(streams.filter((stream) => !this.#known.has(stream)));
    const found = new Map(this.#known.size + unknown.size > MOST ? this.#forget(streams) : []);
    if (unknown.size > 0) {
      for (const [stream, subject] of await listSubjects(this.#db, [...unknown])) found.set(stream, subject);
    }
    for (const [stream, subject] of found) this.#known.set(stream, subject);
    return (stream) => found.get(stream) ?? this.#known.get(stream) ?? NOTHING;
  }

  /** Forgets all but these. @returns these. */
  #forget(streams: readonly string[]): Array<[string, ToldSubject]> {
    const kept = streams.flatMap((stream) => {
      const known = this.#known.get(stream);
      return known ? [[stream, known] as [string, ToldSubject]] : [];
    });
    this.#known.clear();
    return kept;
  }
}
