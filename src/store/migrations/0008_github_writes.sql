-- When the next write to GitHub may begin, per credential, whichever worker sends it. Made with a fingerprint, never a secret.
CREATE TABLE github_writes (
  credential text PRIMARY KEY,
  -- The first slot that nobody was given.
  next_slot_at timestamptz NOT NULL DEFAULT 'epoch',
  -- Until then a write is under way, or was a moment ago.
  free_at timestamptz NOT NULL DEFAULT 'epoch',
  -- Until then GitHub's rate limits want no request at all.
  limited_until timestamptz NOT NULL DEFAULT 'epoch'
);
--> statement-breakpoint
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'hapax_runtime') THEN
    GRANT SELECT, INSERT, UPDATE ON github_writes TO hapax_runtime;
  END IF;
EXCEPTION
  WHEN insufficient_privilege THEN RAISE NOTICE 'no right to grant to the role hapax_runtime; continuing without it';
END $$;
