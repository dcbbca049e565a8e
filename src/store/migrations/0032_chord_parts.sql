-- How members of chords ended. Not in the log: the ends of the tasks are there, and this is about the messages that asked for them.
CREATE TABLE chord_parts (
  group_id text NOT NULL,
  task_id text NOT NULL,
  -- -1 where the sender gave none
  index integer NOT NULL,
  ended jsonb NOT NULL,
  kept_at timestamptz(3) NOT NULL,
  PRIMARY KEY (group_id, task_id, index)
);
--> statement-breakpoint
CREATE INDEX chord_parts_by_age ON chord_parts (kept_at);
--> statement-breakpoint
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'hapax_runtime') THEN
    GRANT SELECT, INSERT, UPDATE, DELETE ON chord_parts TO hapax_runtime;
  END IF;
EXCEPTION
  WHEN insufficient_privilege THEN RAISE NOTICE 'no right to grant to the role hapax_runtime; continuing without it';
END $$;
