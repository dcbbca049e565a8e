-- Retention erases builds and tasks in the order in which they ended. It leaves out those that are erased already.
DROP INDEX CONCURRENTLY IF EXISTS builds_to_erase;
--> statement-breakpoint
CREATE INDEX CONCURRENTLY builds_to_erase ON builds (completed_at) WHERE erased_at IS NULL AND completed_at IS NOT NULL;
--> statement-breakpoint
DROP INDEX CONCURRENTLY IF EXISTS tasks_to_erase;
--> statement-breakpoint
CREATE INDEX CONCURRENTLY tasks_to_erase ON tasks (completed_at) WHERE erased_at IS NULL AND completed_at IS NOT NULL;
