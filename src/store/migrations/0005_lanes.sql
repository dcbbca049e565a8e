-- Builds of one repository, workflow and ref that take turns are in one lane.

ALTER TABLE builds ADD COLUMN concurrency text;
--> statement-breakpoint
ALTER TABLE builds ADD COLUMN lane text;
--> statement-breakpoint
ALTER TABLE builds ADD COLUMN queued_at timestamptz(3);
--> statement-breakpoint
UPDATE builds SET queued_at = (
  SELECT occurred_at FROM events
  WHERE stream = 'build:' || builds.id AND type IN ('build_queued', 'build_retried') ORDER BY seq DESC LIMIT 1);
--> statement-breakpoint
ALTER TABLE builds ALTER COLUMN queued_at SET NOT NULL;
--> statement-breakpoint
-- One at a time, whoever thinks that it is his turn.
CREATE UNIQUE INDEX builds_one_per_lane ON builds (lane) WHERE status = 'in_progress';
--> statement-breakpoint
CREATE INDEX builds_by_lane ON builds (lane, queued_at, id) WHERE lane IS NOT NULL AND completed_at IS NULL;
