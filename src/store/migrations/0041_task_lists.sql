-- Lists of tasks by name and by queue, in the order of creation: where few tasks match, a list had to look through all.
DROP INDEX CONCURRENTLY IF EXISTS tasks_by_name;
--> statement-breakpoint
CREATE INDEX CONCURRENTLY tasks_by_name ON tasks (name, created_at DESC, id DESC);
--> statement-breakpoint
DROP INDEX CONCURRENTLY IF EXISTS tasks_by_queue;
--> statement-breakpoint
CREATE INDEX CONCURRENTLY tasks_by_queue ON tasks (queue, created_at DESC, id DESC);
