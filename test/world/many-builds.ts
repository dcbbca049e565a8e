import type { Db } from '../../src/store/database.ts';

/**
 * Fills the projection with builds that ended: of each 50 one failed, of each 1,000 one was cancelled. Build 5 has a
 * configuration, build 7 a repository and build 150 a conclusion that no other has; build 11 needs attention.
 * There are no statistics of them, as in the embedded Postgres.
 */
export async function fillBuilds(db: Db, count: number): Promise<void> {
  await db`
    INSERT INTO builds (id, status, workflow_id, request_key, fingerprint, keyed, dedup_until, caller, config_id, config_version,
      image_type, fedora_version, priority, request, repository, ref, attempts, needs_attention, dead_lettered, reason, retries,
      workflow_run_id, run_url, run_attempt, run_status, conclusion, created_at, queued_at, started_at, completed_at, last_seq,
      last_hash)
    SELECT n, CASE WHEN n = 11 THEN 'in_progress' WHEN n % 1000 = 0 THEN 'cancelled' WHEN n % 50 = 0 THEN 'failure' ELSE 'success' END,
      'build-' || sha, sha, sha, false, now(), 'local', CASE WHEN n = 5 THEN 9 ELSE 1 END, 1,
      'fedora-sway-atomic', '43', 3,
      jsonb_build_object('repository', 'acme/images', 'workflow', 'build.yml', 'ref', 'feature/branch-' || n,
        'inputs', jsonb_build_object('image_type', 'fedora-sway-atomic', 'fedora_version', '43', 'note', sha)),
      CASE WHEN n = 7 THEN 'acme/rare' ELSE 'acme/images-' || n % 5 END, 'feature/branch-' || n, 1, n = 11, n % 50 = 0,
      CASE WHEN n % 50 = 0 THEN 'the run ended with failure' END, 0, 1000000 + n,
      'https://github.com/acme/images/actions/runs/' || n, 1, 'completed',
      CASE WHEN n = 11 THEN NULL WHEN n % 1000 = 0 THEN 'cancelled' WHEN n = 150 THEN 'timed_out' WHEN n % 50 = 0 THEN 'failure' ELSE 'success' END,
      at, at, at, CASE WHEN n = 11 THEN NULL ELSE at END, 6, sha
    FROM generate_series(1, ${count}::integer) AS n,
      LATERAL (SELECT encode(sha256(n::text::bytea), 'hex') AS sha, now() - (${count}::integer - n) * interval '10 seconds' AS at) AS made`;
}
