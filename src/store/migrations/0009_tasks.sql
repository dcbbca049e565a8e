-- Tasks: what their events (streams task:<id>) add up to.
CREATE TABLE tasks (
  id text PRIMARY KEY,
  status text NOT NULL,
  workflow_id text NOT NULL,
  fingerprint text NOT NULL,
  caller text NOT NULL,
  door text NOT NULL,
  name text NOT NULL,
  queue text NOT NULL,
  args jsonb NOT NULL,
  kwargs jsonb NOT NULL,
  priority smallint,
  eta timestamptz(3),
  expires timestamptz(3),
  callback_origin text,
  root_id text,
  parent_id text,
  attempts integer NOT NULL,
  retries integer NOT NULL,
  redrives integer NOT NULL,
  worker text,
  result jsonb,
  error jsonb,
  dead_lettered boolean NOT NULL,
  reason text,
  created_at timestamptz(3) NOT NULL,
  received_at timestamptz(3),
  started_at timestamptz(3),
  retried_at timestamptz(3),
  completed_at timestamptz(3),
  last_seq integer NOT NULL,
  last_hash text NOT NULL
);
--> statement-breakpoint
CREATE INDEX tasks_newest ON tasks (created_at DESC, id DESC);
--> statement-breakpoint
CREATE INDEX tasks_open ON tasks (queue, created_at) WHERE completed_at IS NULL;
--> statement-breakpoint
CREATE INDEX tasks_dead ON tasks (created_at DESC, id DESC) WHERE dead_lettered;
--> statement-breakpoint
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'hapax_runtime') THEN
    GRANT SELECT, INSERT, UPDATE ON tasks TO hapax_runtime;
  END IF;
END $$;
