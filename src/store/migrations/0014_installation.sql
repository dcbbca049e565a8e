-- What shows whether Postgres and Temporal still belong together: one row.
CREATE TABLE installation (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  id uuid NOT NULL DEFAULT gen_random_uuid(),
  -- Raised each time that the record turns out to be, or is made, an earlier state of itself.
  epoch integer NOT NULL DEFAULT 1,
  -- When a process began to compare the record with Temporal, so that only one does.
  claimed_at timestamptz NOT NULL DEFAULT 'epoch',
  -- What the last comparison found: when it began, how much differed, and how much of that it could not mend.
  reconciled_at timestamptz(3),
  differences integer NOT NULL DEFAULT 0,
  unresolved integer NOT NULL DEFAULT 0
);
--> statement-breakpoint
INSERT INTO installation DEFAULT VALUES;
--> statement-breakpoint
-- Requests to GitHub that must not be sent twice: a worker claims each before it sends it, whatever Temporal remembers.
CREATE TABLE sent_requests (
  key text PRIMARY KEY,
  claimed_at timestamptz(3) NOT NULL
);
--> statement-breakpoint
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'hapax_runtime') THEN
    GRANT SELECT, UPDATE ON installation TO hapax_runtime;
    GRANT SELECT, INSERT, DELETE ON sent_requests TO hapax_runtime;
    GRANT SELECT, UPDATE ON SEQUENCE build_ids TO hapax_runtime;
  END IF;
EXCEPTION
  WHEN insufficient_privilege THEN RAISE NOTICE 'no right to grant to the role hapax_runtime; continuing without it';
END $$;
