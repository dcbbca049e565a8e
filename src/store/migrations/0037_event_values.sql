-- Values of events that can be erased: arguments, results, inputs. The event has a salted hash of them in their place, so that
-- erasing them changes no event. `told` has each value by its path in the data.
CREATE TABLE event_values (
  position bigint PRIMARY KEY,
  salt text NOT NULL,
  told jsonb NOT NULL
);
--> statement-breakpoint
-- Events with what was kept beside them; nulls where nothing was, or where it was erased.
CREATE VIEW told_events AS
  SELECT events.*, kept.salt, kept.told FROM events LEFT JOIN event_values AS kept USING (position);
--> statement-breakpoint
ALTER TABLE tasks ADD COLUMN erased_at timestamptz(3);
--> statement-breakpoint
ALTER TABLE builds ADD COLUMN erased_at timestamptz(3);
--> statement-breakpoint
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'hapax_runtime') THEN
    GRANT SELECT, INSERT, DELETE ON event_values TO hapax_runtime;
    GRANT SELECT ON told_events TO hapax_runtime;
  END IF;
EXCEPTION
  WHEN insufficient_privilege THEN RAISE NOTICE 'no right to grant to the role hapax_runtime; continuing without it';
END $$;
