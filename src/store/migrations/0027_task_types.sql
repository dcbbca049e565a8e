-- Task types as workers registered them when they started. A version stays when nobody serves it any more: tasks that were accepted
-- under it may wait.
CREATE TABLE task_types (
  name text NOT NULL,
  version text NOT NULL,
  runtime text NOT NULL,
  description jsonb NOT NULL,
  first_registered_at timestamptz(3) NOT NULL,
  last_registered_at timestamptz(3) NOT NULL,
  registered_by text NOT NULL,
  -- Rises with each registration: the version of a name with the highest one counts.
  registration bigint NOT NULL,
  PRIMARY KEY (name, version)
);
--> statement-breakpoint
CREATE INDEX task_types_latest ON task_types (registration DESC);
--> statement-breakpoint
-- Queues that workers registered, by what runs their tasks.
CREATE TABLE task_queues (
  name text NOT NULL,
  runtime text NOT NULL,
  first_registered_at timestamptz(3) NOT NULL,
  last_registered_at timestamptz(3) NOT NULL,
  registered_by text NOT NULL,
  PRIMARY KEY (name, runtime)
);
--> statement-breakpoint
-- The version of its type that a task was accepted under; null for the tasks of Hapax itself.
ALTER TABLE tasks ADD COLUMN type_version text;
--> statement-breakpoint
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'hapax_runtime') THEN
    GRANT SELECT, INSERT, UPDATE ON task_types, task_queues TO hapax_runtime;
  END IF;
EXCEPTION
  WHEN insufficient_privilege THEN RAISE NOTICE 'no right to grant to the role hapax_runtime; continuing without it';
END $$;
