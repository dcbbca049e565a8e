-- Keys of the API: what their events (streams key:<id>) add up to.
CREATE TABLE keys (
  id text PRIMARY KEY,
  status text NOT NULL,
  name text NOT NULL,
  rights jsonb NOT NULL,
  repositories jsonb,
  queues jsonb,
  requests_per_minute integer,
  builds_in_flight integer,
  tasks_in_flight integer,
  expires_at timestamptz(3),
  created_by text NOT NULL,
  created_at timestamptz(3) NOT NULL,
  revoked_by text,
  revoked_at timestamptz(3),
  last_seq integer NOT NULL,
  last_hash text NOT NULL
);
--> statement-breakpoint
-- What lets a key in: the SHA-256 of it, never the key. Not in the log; the row goes when the key is revoked.
CREATE TABLE key_hashes (
  id text PRIMARY KEY,
  hash text NOT NULL UNIQUE CHECK (hash ~ '^[0-9a-f]{64}$'),
  last_used_at timestamptz(3)
);
--> statement-breakpoint
-- Who has signed in to the console: the SHA-256 of the cookie, and what it stands for.
CREATE TABLE console_sessions (
  hash text PRIMARY KEY CHECK (hash ~ '^[0-9a-f]{64}$'),
  subject jsonb NOT NULL,
  expires_at timestamptz(3) NOT NULL
);
--> statement-breakpoint
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'hapax_runtime') THEN
    GRANT SELECT, INSERT, UPDATE ON keys TO hapax_runtime;
    GRANT SELECT, INSERT, UPDATE, DELETE ON key_hashes, console_sessions TO hapax_runtime;
  END IF;
EXCEPTION
  WHEN insufficient_privilege THEN RAISE NOTICE 'no right to grant to the role hapax_runtime; continuing without it';
END $$;
