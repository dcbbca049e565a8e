-- How far the log was read for runs that ended. Runs from before this are not asked about: their artifacts may be gone.
CREATE TABLE artifact_progress (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  end_position bigint NOT NULL
);
--> statement-breakpoint
INSERT INTO artifact_progress (end_position) SELECT coalesce(max(position), 0) FROM events;
--> statement-breakpoint
-- Runs whose artifacts are to be recorded. A row goes when they are.
CREATE TABLE artifacts_due (
  build_id bigint NOT NULL,
  workflow_run_id bigint NOT NULL,
  run_attempt integer NOT NULL,
  ended_at timestamptz(3) NOT NULL,
  due_at timestamptz(3) NOT NULL,
  tries integer NOT NULL DEFAULT 0,
  problem text,
  PRIMARY KEY (build_id, workflow_run_id, run_attempt)
);
--> statement-breakpoint
CREATE INDEX artifacts_due_at ON artifacts_due (due_at);
--> statement-breakpoint
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'hapax_runtime') THEN
    GRANT SELECT, UPDATE ON artifact_progress TO hapax_runtime;
    GRANT SELECT, INSERT, UPDATE, DELETE ON artifacts_due TO hapax_runtime;
  END IF;
EXCEPTION
  WHEN insufficient_privilege THEN RAISE NOTICE 'no right to grant to the role hapax_runtime; continuing without it';
END $$;
