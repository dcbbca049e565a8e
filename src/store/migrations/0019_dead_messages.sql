-- Messages that became no task, beside the queue hapax.dead-letter. Not in the log: their senders decide how many and how large they
-- are, so they are bounded. One row for each message that differs; the same one refused again counts.
CREATE TABLE dead_messages (
  id text PRIMARY KEY,
  queue text NOT NULL,
  reason text NOT NULL,
  detail text NOT NULL,
  task_id text,
  task text,
  -- JSON of how it is published again, and its body in base64.
  publication text NOT NULL,
  body text NOT NULL,
  refusals integer NOT NULL,
  first_refused_at timestamptz(3) NOT NULL,
  created_at timestamptz(3) NOT NULL,
  settled text CHECK (settled IN ('redriven', 'discarded')),
  settled_by text,
  settled_at timestamptz(3)
);
--> statement-breakpoint
CREATE INDEX dead_messages_waiting ON dead_messages (created_at DESC, ('message:' || id) DESC) WHERE settled IS NULL;
--> statement-breakpoint
CREATE INDEX dead_messages_by_age ON dead_messages (created_at);
--> statement-breakpoint
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'hapax_runtime') THEN
    GRANT SELECT, INSERT, UPDATE, DELETE ON dead_messages TO hapax_runtime;
  END IF;
EXCEPTION
  WHEN insufficient_privilege THEN RAISE NOTICE 'no right to grant to the role hapax_runtime; continuing without it';
END $$;
