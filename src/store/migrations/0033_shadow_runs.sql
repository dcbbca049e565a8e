-- Runs that another program started, each with the build that it is for. Not in the log: workflow_triggered and run_doubled are there.
-- This sees to it that no run is for two builds.
CREATE TABLE shadow_runs (
  -- forge and repository, as groups of builds name them
  place text NOT NULL,
  run_id bigint NOT NULL,
  run_url text NOT NULL,
  run_created_at timestamptz(3) NOT NULL,
  build_id bigint NOT NULL,
  -- one too many
  doubled boolean NOT NULL,
  PRIMARY KEY (place, run_id)
);
--> statement-breakpoint
CREATE UNIQUE INDEX shadow_runs_one_per_build ON shadow_runs (build_id) WHERE NOT doubled;
--> statement-breakpoint
CREATE INDEX shadow_runs_by_time ON shadow_runs (place, run_created_at);
--> statement-breakpoint
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'hapax_runtime') THEN
    GRANT SELECT, INSERT ON shadow_runs TO hapax_runtime;
  END IF;
EXCEPTION
  WHEN insufficient_privilege THEN RAISE NOTICE 'no right to grant to the role hapax_runtime; continuing without it';
END $$;
