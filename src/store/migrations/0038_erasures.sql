-- Erasures of what has no stream of its own: what their events (streams erasure:<id>) add up to.
CREATE TABLE erasures (
  id text PRIMARY KEY,
  status text NOT NULL,
  erased_by text NOT NULL,
  created_at timestamptz(3) NOT NULL,
  last_seq integer NOT NULL,
  last_hash text NOT NULL
);
--> statement-breakpoint
-- Documents that contents came from, those of earlier versions too, so that all are found when a content is erased. A worker deletes
-- those that were erased: the API may not reach the directory.
CREATE TABLE content_sources (
  content_id text NOT NULL,
  blob_key text NOT NULL,
  erased boolean NOT NULL DEFAULT false,
  PRIMARY KEY (content_id, blob_key)
);
--> statement-breakpoint
CREATE INDEX content_sources_by_key ON content_sources (blob_key);
--> statement-breakpoint
CREATE INDEX content_sources_erased ON content_sources (blob_key) WHERE erased;
--> statement-breakpoint
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'hapax_runtime') THEN
    GRANT SELECT, INSERT, UPDATE ON erasures TO hapax_runtime;
    GRANT SELECT, INSERT, UPDATE, DELETE ON content_sources TO hapax_runtime;
    GRANT DELETE ON callback_targets, contents TO hapax_runtime;
  END IF;
EXCEPTION
  WHEN insufficient_privilege THEN RAISE NOTICE 'no right to grant to the role hapax_runtime; continuing without it';
END $$;
