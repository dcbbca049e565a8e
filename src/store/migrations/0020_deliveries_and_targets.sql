-- A delivery is settled once its work is done. Until then the row holds what to do, and who has claimed it for how long.
ALTER TABLE deliveries
  ADD COLUMN settled boolean NOT NULL DEFAULT true,
  ADD COLUMN run jsonb,
  ADD COLUMN tries integer NOT NULL DEFAULT 0,
  ADD COLUMN claimed_until timestamptz,
  ADD COLUMN due_at timestamptz;
--> statement-breakpoint
CREATE INDEX deliveries_pending ON deliveries (due_at) WHERE NOT settled;
--> statement-breakpoint
-- Up to when the deliveries of a repository were looked at. `delivery_sweeps` says only whose turn it is.
CREATE TABLE repository_sweeps (
  repository text PRIMARY KEY,
  swept_at timestamptz NOT NULL
);
--> statement-breakpoint
-- Several URLs per subject. The target '' is the URL of the request that made the subject; others have a random name.
ALTER TABLE callback_targets
  DROP CONSTRAINT callback_targets_pkey,
  ADD COLUMN target text NOT NULL DEFAULT '',
  ADD PRIMARY KEY (stream, target);
--> statement-breakpoint
-- By its digest: an index holds no value as long as a URL may be.
CREATE UNIQUE INDEX callback_targets_by_url ON callback_targets (stream, md5(url));
--> statement-breakpoint
-- What was made under an Idempotency-Key, where the name of what was made does not follow from the key.
CREATE TABLE request_keys (
  key text PRIMARY KEY,
  fingerprint text NOT NULL,
  made text NOT NULL
);
--> statement-breakpoint
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'hapax_runtime') THEN
    GRANT UPDATE ON deliveries TO hapax_runtime;
    GRANT SELECT, INSERT, UPDATE ON repository_sweeps TO hapax_runtime;
    GRANT SELECT, INSERT ON request_keys TO hapax_runtime;
  END IF;
EXCEPTION
  WHEN insufficient_privilege THEN RAISE NOTICE 'no right to grant to the role hapax_runtime; continuing without it';
END $$;
