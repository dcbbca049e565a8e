-- The last ending that the sender got a reply about: the dedupe key of its event. Null: none, or the answer workflow replied.
ALTER TABLE owed ADD COLUMN answered text;
--> statement-breakpoint
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'hapax_runtime') THEN
    GRANT UPDATE (answered) ON owed TO hapax_runtime;
  END IF;
EXCEPTION
  WHEN insufficient_privilege THEN RAISE NOTICE 'no right to grant to the role hapax_runtime; continuing without it';
END $$;
