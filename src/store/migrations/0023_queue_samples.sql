-- How much waited and ran in each queue, once a minute: for charts, over restarts.
CREATE TABLE queue_samples (
  taken_at timestamptz(0) NOT NULL,
  queue text NOT NULL,
  depth integer NOT NULL,
  in_flight integer NOT NULL,
  oldest_age_seconds real,
  accepted integer NOT NULL,
  PRIMARY KEY (taken_at, queue)
);
--> statement-breakpoint
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'hapax_runtime') THEN
    GRANT SELECT, INSERT, DELETE ON queue_samples TO hapax_runtime;
  END IF;
EXCEPTION
  WHEN insufficient_privilege THEN RAISE NOTICE 'no right to grant to the role hapax_runtime; continuing without it';
END $$;
