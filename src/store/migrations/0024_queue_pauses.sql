-- Who paused and resumed which queue: the last row of a queue counts. Append-only, so that it stays known.
CREATE TABLE queue_pauses (
  position bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  queue text NOT NULL,
  paused boolean NOT NULL,
  changed_by text NOT NULL,
  changed_at timestamptz(3) NOT NULL
);
--> statement-breakpoint
CREATE INDEX queue_pauses_latest ON queue_pauses (queue, position DESC);
--> statement-breakpoint
CREATE TRIGGER queue_pauses_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON queue_pauses
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
--> statement-breakpoint
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'hapax_runtime') THEN
    GRANT SELECT, INSERT ON queue_pauses TO hapax_runtime;
  END IF;
EXCEPTION
  WHEN insufficient_privilege THEN RAISE NOTICE 'no right to grant to the role hapax_runtime; continuing without it';
END $$;
