-- Lists in the order of creation by what people filter by. The name of a branch as `branchName` (domain) writes it.
CREATE INDEX builds_by_ref
  ON builds (regexp_replace(ref, '^refs/heads/(?!(?:refs|heads|tags)/)', ''), created_at DESC, id DESC);
--> statement-breakpoint
CREATE INDEX builds_by_repository ON builds (repository, created_at DESC, id DESC);
--> statement-breakpoint
CREATE INDEX builds_by_configuration ON builds (config_id, created_at DESC, id DESC);
--> statement-breakpoint
CREATE INDEX builds_unsuccessful ON builds (created_at DESC, id DESC) WHERE status IN ('failure', 'cancelled');
--> statement-breakpoint
CREATE INDEX tasks_unsuccessful ON tasks (created_at DESC, id DESC) WHERE status IN ('FAILURE', 'REVOKED');
