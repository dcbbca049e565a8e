-- Quotas of the YouTube Data API: what was given away of each bucket and day, and the calls that it was given to.
CREATE TABLE quota_days (
  bucket text NOT NULL,
  day date NOT NULL,
  units_used integer NOT NULL CHECK (units_used >= 0),
  PRIMARY KEY (bucket, day)
);
--> statement-breakpoint
-- A call without settled_at was reserved, and perhaps sent; its units count as used.
CREATE TABLE quota_calls (
  key text PRIMARY KEY,
  bucket text NOT NULL,
  first_day date NOT NULL,
  last_day date NOT NULL,
  units integer NOT NULL CHECK (units > 0),
  holder text NOT NULL,
  reserved_at timestamptz(3) NOT NULL,
  settled_at timestamptz(3),
  answer jsonb
);
--> statement-breakpoint
CREATE INDEX quota_calls_by_age ON quota_calls (reserved_at);
--> statement-breakpoint
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'hapax_runtime') THEN
    GRANT SELECT, INSERT, UPDATE ON quota_days TO hapax_runtime;
    GRANT SELECT, INSERT, UPDATE, DELETE ON quota_calls TO hapax_runtime;
  END IF;
END $$;
