-- Task types that an operator has retired: hidden until a worker registers them again. Their versions stay, as tasks were accepted
-- under them.
ALTER TABLE task_types ADD COLUMN retired_at timestamptz(3);
--> statement-breakpoint
-- What each worker said last that it serves. Temporal knows only who polls a queue: a worker may have lost one of its types.
CREATE TABLE task_type_workers (
  identity text NOT NULL,
  runtime text NOT NULL,
  names jsonb NOT NULL,
  registered_at timestamptz(3) NOT NULL,
  PRIMARY KEY (identity, runtime)
);
--> statement-breakpoint
CREATE INDEX task_type_workers_by_age ON task_type_workers (registered_at);
--> statement-breakpoint
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'hapax_runtime') THEN
    GRANT SELECT, INSERT, UPDATE, DELETE ON task_type_workers TO hapax_runtime;
    GRANT DELETE ON task_queues TO hapax_runtime;
  END IF;
EXCEPTION
  WHEN insufficient_privilege THEN RAISE NOTICE 'no right to grant to the role hapax_runtime; continuing without it';
END $$;
