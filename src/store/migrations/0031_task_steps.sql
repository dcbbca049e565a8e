-- Results of the steps of tasks that were done, so that a later attempt does not do them again.
CREATE TABLE task_steps (
  task_id text NOT NULL,
  name text NOT NULL,
  result jsonb NOT NULL,
  done_at timestamptz(3) NOT NULL,
  PRIMARY KEY (task_id, name)
);
--> statement-breakpoint
CREATE INDEX task_steps_oldest ON task_steps (done_at);
--> statement-breakpoint
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'hapax_runtime') THEN
    GRANT SELECT, INSERT, UPDATE, DELETE ON task_steps TO hapax_runtime;
  END IF;
EXCEPTION
  WHEN insufficient_privilege THEN RAISE NOTICE 'no right to grant to the role hapax_runtime; continuing without it';
END $$;
