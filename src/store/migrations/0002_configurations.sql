-- Build configurations that people make. The table is append-only: a change is a row with the next version.

ALTER TABLE configurations ADD COLUMN IF NOT EXISTS retired boolean NOT NULL DEFAULT false;
--> statement-breakpoint
ALTER TABLE configurations ADD COLUMN IF NOT EXISTS changed_by text NOT NULL DEFAULT 'environment';
--> statement-breakpoint
CREATE INDEX IF NOT EXISTS configurations_by_name ON configurations (name);
--> statement-breakpoint
-- Configuration 1 is the environment's.
CREATE SEQUENCE IF NOT EXISTS configuration_ids AS integer START 2;
--> statement-breakpoint
CREATE OR REPLACE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  RAISE EXCEPTION 'the table % is append-only: % is refused', TG_TABLE_NAME, TG_OP USING ERRCODE = 'insufficient_privilege';
END $$;
--> statement-breakpoint
CREATE OR REPLACE TRIGGER configurations_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON configurations
  FOR EACH STATEMENT EXECUTE FUNCTION refuse_change();
--> statement-breakpoint
DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'hapax_runtime') THEN
    GRANT USAGE ON SEQUENCE configuration_ids TO hapax_runtime;
  END IF;
EXCEPTION
  WHEN insufficient_privilege THEN RAISE NOTICE 'no right to grant to the role hapax_runtime; continuing without it';
END $$;
