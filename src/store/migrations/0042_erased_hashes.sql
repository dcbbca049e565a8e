-- An erasure empties the hashes of a task's arguments, which are found by what they stand for.
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'hapax_runtime') THEN
    GRANT UPDATE (fingerprint) ON request_keys TO hapax_runtime;
  END IF;
EXCEPTION
  WHEN insufficient_privilege THEN RAISE NOTICE 'no right to grant to the role hapax_runtime; continuing without it';
END $$;
--> statement-breakpoint
DROP INDEX CONCURRENTLY IF EXISTS request_keys_by_made;
--> statement-breakpoint
CREATE INDEX CONCURRENTLY request_keys_by_made ON request_keys (made);
--> statement-breakpoint
DROP INDEX CONCURRENTLY IF EXISTS unnamed_messages_by_task;
--> statement-breakpoint
CREATE INDEX CONCURRENTLY unnamed_messages_by_task ON unnamed_messages (task_id);
