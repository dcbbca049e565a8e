-- Subscriptions: what their events (streams subscription:<id>) add up to.
CREATE TABLE subscriptions (
  id text PRIMARY KEY,
  status text NOT NULL,
  workflow_id text NOT NULL,
  name text NOT NULL,
  url_origin text NOT NULL,
  format text NOT NULL,
  filter jsonb NOT NULL,
  header_names jsonb NOT NULL,
  reason text,
  created_by text NOT NULL,
  created_at timestamptz(3) NOT NULL,
  last_seq integer NOT NULL,
  last_hash text NOT NULL
);
--> statement-breakpoint
-- Where the events of a subscription go, and how far they went. Not in the log: URL, secret and headers are secrets, and progress
-- changes with each event.
CREATE TABLE subscription_deliveries (
  id text PRIMARY KEY,
  url text NOT NULL,
  secret text NOT NULL,
  headers jsonb NOT NULL,
  -- Rises with each change, so that whoever delivers reads it again.
  version integer NOT NULL DEFAULT 1,
  position bigint NOT NULL,
  -- Events that failed: [{position, attempts, first_at, next_at}].
  pending jsonb NOT NULL DEFAULT '[]',
  delivered bigint NOT NULL DEFAULT 0,
  given_up bigint NOT NULL DEFAULT 0,
  delivered_at timestamptz(3),
  failing_since timestamptz(3),
  last_failure text
);
--> statement-breakpoint
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'hapax_runtime') THEN
    GRANT SELECT, INSERT, UPDATE ON subscriptions TO hapax_runtime;
    GRANT SELECT, INSERT, UPDATE, DELETE ON subscription_deliveries TO hapax_runtime;
  END IF;
EXCEPTION
  WHEN insufficient_privilege THEN RAISE NOTICE 'no right to grant to the role hapax_runtime; continuing without it';
END $$;
