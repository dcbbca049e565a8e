-- An erasure finds hashes of a task's arguments by what they stand for.
DROP INDEX CONCURRENTLY IF EXISTS request_keys_by_made;
--> statement-breakpoint
CREATE INDEX CONCURRENTLY request_keys_by_made ON request_keys (made);
--> statement-breakpoint
DROP INDEX CONCURRENTLY IF EXISTS unnamed_messages_by_task;
--> statement-breakpoint
CREATE INDEX CONCURRENTLY unnamed_messages_by_task ON unnamed_messages (task_id);
