-- Where the callbacks of a subject go, by its stream. Not in the log: the URL may be a secret, and may be deleted here.
CREATE TABLE callback_targets (
  stream text PRIMARY KEY,
  url text NOT NULL
);
--> statement-breakpoint
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'hapax_runtime') THEN
    GRANT SELECT, INSERT ON callback_targets TO hapax_runtime;
  END IF;
EXCEPTION
  WHEN insufficient_privilege THEN RAISE NOTICE 'no right to grant to the role hapax_runtime; continuing without it';
END $$;
