import { type Db, inTransaction } from '../database.ts';

/** A run whose artifacts are still to be recorded. */
export interface ArtifactDue {
  build_id: number;
  workflow_run_id: number;
  run_attempt: number;
  /** ISO 8601. */
  ended_at: string;
  /** How many times its forge was asked without success. */
  tries: number;
}

/** How many positions of the log one transaction looks through. */
const BATCH = 10_000;

/**
 * Finds the runs that succeeded since the last call, up to a position of the log, and saves them as due.
 * @param settled no new event may appear up to there.
 */
export async function addArtifactsDue(db: Db, settled: number): Promise<void> {
  for (let more = true; more; ) more = await addBatch(db, settled);
}

function addBatch(db: Db, settled: number): Promise<boolean> {
  return inTransaction(db, async (tx) => {
    const [progress] = await tx<[{ end: number }]>`SELECT end_position AS end FROM artifact_progress FOR UPDATE`;
    const { end } = progress;
    const until = Math.min(settled, end + BATCH);
    if (until <= end) return false;
    await tx`
      INSERT INTO artifacts_due (build_id, workflow_run_id, run_attempt, ended_at, due_at)
      SELECT split_part(ended.stream, ':', 2)::bigint, run.id, (ended.data ->> 'run_attempt')::integer,
        ended.occurred_at, clock_timestamp()
      FROM events AS ended, LATERAL (
        SELECT (data ->> 'workflow_run_id')::bigint AS id FROM events AS made
        WHERE made.stream = ended.stream AND made.seq < ended.seq AND made.type = 'workflow_triggered'
        ORDER BY made.seq DESC LIMIT 1
      ) AS run
      WHERE ended.position > ${end} AND ended.position <= ${until} AND ended.type = 'build_completed'
        AND ended.data ->> 'conclusion' = 'success' AND ended.data ->> 'run_attempt' IS NOT NULL
      ON CONFLICT DO NOTHING`;
    await tx`UPDATE artifact_progress SET end_position = ${until}`;
    return until < settled;
  });
}

/** Lists the runs that are due, longest due first. */
export async function listArtifactsDue(db: Db, limit: number): Promise<ArtifactDue[]> {
  return db<ArtifactDue[]>`
    SELECT build_id, workflow_run_id, run_attempt, ended_at, tries FROM artifacts_due
    WHERE due_at <= clock_timestamp() ORDER BY due_at LIMIT ${limit}`;
}

/** Saves that a forge was asked without success, why, and when to ask it again. */
export async function delayArtifacts(
  db: Db,
  { build_id, workflow_run_id, run_attempt }: ArtifactDue,
  pauseMs: number,
  problem: string,
): Promise<void> {
  await db`
    UPDATE artifacts_due SET tries = tries + 1, problem = ${problem},
      due_at = clock_timestamp() + ${pauseMs}::double precision * interval '1 millisecond'
    WHERE build_id = ${build_id} AND workflow_run_id = ${workflow_run_id} AND run_attempt = ${run_attempt}`;
}

/** Deletes a run whose artifacts are recorded. */
export async function deleteArtifactsDue(
  db: Db,
  { build_id, workflow_run_id, run_attempt }: ArtifactDue,
): Promise<void> {
  await db`
    DELETE FROM artifacts_due
    WHERE build_id = ${build_id} AND workflow_run_id = ${workflow_run_id} AND run_attempt = ${run_attempt}`;
}

/** Says why the artifacts of a build are not recorded yet. null: nobody has asked the forge yet; undefined: nobody is going to. */
export async function findArtifactsProblem(db: Db, buildId: number): Promise<string | null | undefined> {
  const [row] = await db<Array<{ problem: string | null }>>`
    SELECT problem FROM artifacts_due WHERE build_id = ${buildId} ORDER BY ended_at DESC LIMIT 1`;
  return row?.problem;
}
