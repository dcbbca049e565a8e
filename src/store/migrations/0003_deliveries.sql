-- Webhook deliveries that were taken: GitHub repeats an id on a redelivery.
CREATE TABLE deliveries (
  id text PRIMARY KEY,
  received_at timestamptz(3) NOT NULL
);
--> statement-breakpoint
CREATE INDEX deliveries_by_age ON deliveries (received_at);
--> statement-breakpoint
CREATE INDEX builds_by_run ON builds (workflow_run_id) WHERE workflow_run_id IS NOT NULL;
--> statement-breakpoint
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'hapax_runtime') THEN
    GRANT SELECT, INSERT, DELETE ON deliveries TO hapax_runtime;
  END IF;
END $$;
