-- Schedules: what their events (streams schedule:<name>) add up to.
CREATE TABLE schedules (
  id text PRIMARY KEY,
  status text NOT NULL,
  workflow_id text NOT NULL,
  version integer NOT NULL,
  definition jsonb NOT NULL,
  paused_note text,
  last_time timestamptz(3),
  last_made jsonb NOT NULL,
  waiting_time timestamptz(3),
  fired integer NOT NULL,
  skipped integer NOT NULL,
  accounted_until timestamptz(3) NOT NULL,
  created_at timestamptz(3) NOT NULL,
  changed_at timestamptz(3) NOT NULL,
  changed_by text NOT NULL,
  last_seq integer NOT NULL,
  last_hash text NOT NULL
);
--> statement-breakpoint
-- Which scheduled time may fire now. Only for seconds, and not in the record.
CREATE TABLE schedule_turns (
  schedule text PRIMARY KEY,
  time text NOT NULL,
  claimed_until timestamptz NOT NULL
);
--> statement-breakpoint
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'hapax_runtime') THEN
    GRANT SELECT, INSERT, UPDATE ON schedules TO hapax_runtime;
    GRANT SELECT, INSERT, UPDATE, DELETE ON schedule_turns TO hapax_runtime;
  END IF;
EXCEPTION
  WHEN insufficient_privilege THEN RAISE NOTICE 'no right to grant to the role hapax_runtime; continuing without it';
END $$;
