import postgres from 'postgres';

/** Takes the last events of one build, task or schedule out of the record, as a copy from before them would. */
export interface StreamSetBack {
  table: 'builds' | 'tasks' | 'schedules';
  id: number | string;
  /** How many events stay. */
  events: number;
  /** The row of the projection as it was then; undefined: there was none. */
  row: postgres.Row | undefined;
}

/** Sets one build, task or schedule of the record back to an earlier moment. */
export async function setStreamBack(databaseUrl: string, { table, id, events, row }: StreamSetBack): Promise<void> {
  const owner = postgres(databaseUrl, { max: 1, onnotice: () => {} });
  await owner.begin(async (tx) => {
    await tx`ALTER TABLE events DISABLE TRIGGER ALL`;
    await tx`DELETE FROM events WHERE stream = ${`${table.slice(0, -1)}:${id}`} AND seq > ${events}`;
    if (row) await tx`UPDATE ${tx(table)} SET ${tx(row)} WHERE id = ${id}`;
    else await tx`DELETE FROM ${tx(table)} WHERE id = ${id}`;
    await tx`ALTER TABLE events ENABLE TRIGGER ALL`;
  });
  await owner.end();
}
