-- What the bridge owes the senders of messages when a task has ended. Not in the log: it is about messages, not the task.
CREATE TABLE owed (
  task_id text NOT NULL,
  reply_to text NOT NULL,
  details jsonb NOT NULL,
  kept_at timestamptz(3) NOT NULL,
  PRIMARY KEY (task_id, reply_to)
);
--> statement-breakpoint
CREATE INDEX owed_by_age ON owed (kept_at);
--> statement-breakpoint
-- Messages that came without a task id, and the id they got: a redelivery gets the same.
CREATE TABLE unnamed_messages (
  fingerprint text PRIMARY KEY,
  task_id text NOT NULL,
  taken_at timestamptz(3) NOT NULL,
  settled boolean NOT NULL
);
--> statement-breakpoint
CREATE INDEX unnamed_messages_by_age ON unnamed_messages (taken_at);
--> statement-breakpoint
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'hapax_runtime') THEN
    GRANT SELECT, INSERT, DELETE ON owed TO hapax_runtime;
    GRANT SELECT, INSERT, UPDATE, DELETE ON unnamed_messages TO hapax_runtime;
  END IF;
EXCEPTION
  WHEN insufficient_privilege THEN RAISE NOTICE 'no right to grant to the role hapax_runtime; continuing without it';
END $$;
